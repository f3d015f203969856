# accounts.sh ID: gives the user of a service, whose number systemd has just chosen, the
# name that its image has for it. systemd runs it before the service starts.
named "$1"
uid=$(stat -L -c %u "/run/spock-$1")
mkdir -p -m 755 /run/spock
for file in passwd group; do
  sed "s/@UID@/$uid/g" "$conf/services/$1/current/$file" > "/run/spock/$1.$file.new"
  chmod 644 "/run/spock/$1.$file.new"
  mv -T "/run/spock/$1.$file.new" "/run/spock/$1.$file"
done
