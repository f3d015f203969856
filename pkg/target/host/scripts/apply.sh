# apply.sh EPOCH ID OWNER REVISION PORTS: makes a service as the archive on its input
# says, and starts it. The switch is the renaming of one link; what the service was
# before stays as `previous`.
named "$2" "$4"
mkdir -p "$conf"
input=$conf/input.$$
trap 'rm -f "$input"' EXIT
cat > "$input"    # before the lock: who waits for input holds nobody up
fence "$1"
id=$2 owner=$3 revision=$4 ports=$5
service=$conf/services/$id unit=spock-$id.service sockets=spock-$id.socket
ours "$id" "$owner"

# A port that another process listens on: all sockets in state 0A, but for our own unit's.
if ! systemctl is-active -q $(units_of "$id"); then
  for port in $ports; do
    hex=$(printf ':%04X' "$port")
    if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do
      case $local$state in *"$hex"0A) echo yes ;; esac; done | grep -q yes
    then fail 67 "port $port"; fi
  done
fi

# A port that another service here has, even while it does not run.
for port in $ports; do
  for other in "$conf"/services/*; do
    [ "$other" = "$service" ] || ! grep -q -x -F "$port" "$other/current/ports" 2>/dev/null || fail 67 "port $port is that of ${other##*/}"
  done
done

new=$service/revisions/$revision.new
mkdir -p "$service/revisions"
rm -rf "$new"; mkdir "$new"
tar -x -p -f "$input" -C "$new" || { rm -rf "$new"; exit 1; }
(cd "$new" && : > ports && for port in $ports; do echo "$port" >> ports; done && sha256sum -- * > .sums && mv .sums sums)
rm -rf "$service/revisions/$revision.old"
[ ! -d "$service/revisions/$revision" ] || mv -T "$service/revisions/$revision" "$service/revisions/$revision.old"
mv -T "$new" "$service/revisions/$revision"
rm -rf "$service/revisions/$revision.old"
[ -f "$service/owner" ] || { echo "$owner" > "$service/owner.new"; mv -T "$service/owner.new" "$service/owner"; }

exec 8>"$conf/switch"    # until the end: who watches sees a service before or after it
flock 8
before=$(readlink "$service/current" || true)
ln -s -f -n "revisions/$revision" "$service/current.new"
mv -T "$service/current.new" "$service/current"
if [ -n "$before" ] && [ "$before" != "revisions/$revision" ]; then
  ln -s -f -n "$before" "$service/previous.new"
  mv -T "$service/previous.new" "$service/previous"
fi
for old in "$service"/revisions/*; do
  case revisions/${old##*/} in
    "$(readlink "$service/current")"|"$(readlink "$service/previous" || true)") ;;
    *) rm -rf "$old" ;;
  esac
done

known=
[ ! -L "$units/$unit" ] || known=yes
ln -s -f -n "$service/current/$unit" "$units/$unit"
mkdir -p "$units/multi-user.target.wants"
ln -s -f -n "../$unit" "$units/multi-user.target.wants/$unit"
# What systemd will make on the machine to mount something there. It is noted before, and
# also what is there for another service, so that the last one of them takes it away.
while read -r path; do
  while [ "$path" != / ] && { [ ! -e "$path" ] || cat "$conf"/services/*/made 2>/dev/null | grep -q -x -F "$path"; }; do
    grep -q -x -F "$path" "$service/made" 2>/dev/null || echo "$path" >> "$service/made"
    path=$(dirname "$path")
  done
done 2>/dev/null < "$service/current/mounts" || true

# Sockets that are not the same as before: who has the ports now must let them go first.
if [ "$(cat "$service/current/$sockets" 2>/dev/null)" != "$(cat "$units/$sockets" 2>/dev/null)" ]; then
  [ -z "$before" ] || systemctl stop $(units_of "$id") 2>/dev/null || true
  rm -f "$units/$sockets"
  # A copy: what a link leads to changes with the next release, before that is compared.
  [ ! -f "$service/current/$sockets" ] || cat "$service/current/$sockets" > "$units/$sockets"
fi
# A unit that systemd cannot know yet is read when it starts: to read all anew takes longer
# than everything else here.
[ -z "$known" ] || stale
if [ -e "$conf/stale" ]; then
  reread
  systemctl reset-failed $(units_of "$id") 2>/dev/null || true
fi
systemctl restart --no-block "$unit" 2>/dev/null || { stale; reread; systemctl restart --no-block "$unit"; }
