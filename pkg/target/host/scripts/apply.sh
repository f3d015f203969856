# apply.sh EPOCH ID OWNER REVISION PORTS: makes a service as the archive on its input
# says, and starts it. The switch is the renaming of one link; what the service was
# before stays as `previous`.
#
# To read one unit anew systemd reads all, which takes longer than everything else here. But it
# forgets one that is stopped and that no other unit names, and reads it when it starts: so a
# service whose unit changes is stopped, switched, and started.
named "$2" "$4"
mkdir -p "$conf"
input=$conf/input.$$
stopped=
trap 'rm -f "$input"; [ -z "$stopped" ] || systemctl start --no-block "$unit" 2>/dev/null || true' EXIT
cat > "$input"    # before the lock: who waits for input holds nobody up
fence "$1"
id=$2 owner=$3 revision=$4 ports=$5
service=$conf/services/$id unit=spock-$id.service sockets=spock-$id.socket
ours "$id" "$owner"

# A port that another process listens on: all sockets in state 0A, but for our own unit's, which
# it has also while it starts or stops.
if ! systemctl is-active $(units_of "$id") | grep -q -v -x -e inactive -e failed -e unknown; then
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
    [ "$other" = "$service" ] || ! grep -q -x -F "$port" "$other/current/ports" "$other"/coming.*/ports 2>/dev/null || fail 67 "port $port is that of ${other##*/}"
  done
done

# What comes, until the switch. Who finds his own gone has been overtaken: by a later write, or
# by the removal.
new=$service/coming.$$
mkdir -p "$service/revisions"
rm -rf "$service"/coming.*; mkdir "$new"
tar -x -p -m -f "$input" -C "$new" || { rm -rf "$new"; exit 1; }
(cd "$new" && : > ports && for port in $ports; do echo "$port" >> ports; done && sha256sum -- * > .sums && mv .sums sums)
[ -f "$service/owner" ] || { echo "$owner" > "$service/owner.new"; mv -T "$service/owner.new" "$service/owner"; }
overtaken() { stopped=; fail 1 "something newer was done to it meanwhile"; }

# fresh says that systemd has read the unit, and what people have put beside it, as it is now.
fresh() {
  case $(systemctl show --property=NeedDaemonReload --value $(units_of "$id")) in *yes*) return 1 ;; esac
}

# By the time of its file systemd knows that a unit has changed; clocks may have been set back.
known='' same=''
[ ! -L "$units/$unit" ] || known=yes
if [ "$(cat "$service/current/$unit" 2>/dev/null)" = "$(cat "$new/$unit")" ]; then
  same=yes
  touch -r "$service/current/$unit" "$new/$unit"
elif [ -f "$service/current/$unit" ] && [ ! "$new/$unit" -nt "$service/current/$unit" ]; then
  touch -d "@$(($(stat -c %Y "$service/current/$unit") + 1))" "$new/$unit"
fi
# Nothing waits long for a service to stop, and one with sockets is not stopped alone, since
# who connects would start it as it was: for these all units are read anew.
if [ -n "$known" ] && [ ! -f "$new/$sockets" ] && [ ! -f "$units/$sockets" ] && ! { [ -n "$same" ] && fresh; }; then
  exec 9>&-
  stopped=yes
  timeout 2 systemctl stop "$unit" 2>/dev/null || true
  fence "$1"
  [ -d "$new" ] || overtaken
fi

exec 8>"$conf/switch"    # until the end: who watches sees a service before or after it
flock -s 8
before=$(readlink "$service/current" || true)
rm -rf "$service/revisions/$revision.old"
[ ! -d "$service/revisions/$revision" ] || mv -T "$service/revisions/$revision" "$service/revisions/$revision.old"
mv -T "$new" "$service/revisions/$revision"
rm -rf "$service/revisions/$revision.old"
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

[ -n "$known" ] || ln -s -f -n "$service/current/$unit" "$units/$unit"
# At boot one unit starts all. Were they wanted by a target, systemd would not forget them.
wants=$units/multi-user.target.wants
[ ! -L "$wants/$unit" ] || rm -f "$wants/$unit"    # of an earlier version
if [ ! -L "$wants/spock.service" ]; then
  cat > "$units/spock.service" <<'end'
[Unit]
Description=the services of Spock

[Service]
Type=oneshot
ExecStart=/bin/sh -c "cd /etc/systemd/system && exec systemctl start --no-block spock-*.service"

[Install]
WantedBy=multi-user.target
end
  chmod 644 "$units/spock.service"
  mkdir -p "$wants"
  ln -s -f -n ../spock.service "$wants/spock.service"
fi
# What systemd will make on the machine to mount something there. It is noted before, and
# also what is there for another service, so that the last one of them takes it away.
while read -r path; do
  while [ "$path" != / ] && { [ ! -e "$path" ] || cat "$conf"/services/*/made 2>/dev/null | grep -q -x -F "$path"; }; do
    grep -q -x -F "$path" "$service/made" 2>/dev/null || echo "$path" >> "$service/made"
    path=$(dirname "$path")
  done
done 2>/dev/null < "$service/current/mounts" || true

# Sockets that are not the same as before: who has the ports now must let them go first.
again=
if [ "$(cat "$service/current/$sockets" 2>/dev/null)" != "$(cat "$units/$sockets" 2>/dev/null)" ]; then
  [ -z "$before" ] || systemctl stop $(units_of "$id") 2>/dev/null || true
  again=$known
  rm -f "$units/$sockets"
  # A copy: what a link leads to changes with the next release, before that is compared.
  [ ! -f "$service/current/$sockets" ] || cp -p "$service/current/$sockets" "$units/$sockets"
fi
[ -z "$known" ] || systemctl reset-failed $(units_of "$id") 2>/dev/null || true    # it does not forget what has failed
if [ -n "$again" ] || ! fresh; then
  made=$(stat -c %i "$service/current/")
  stale
  exec 9>&-    # others may join
  reread
  fence "$1"
  [ "$(stat -c %i "$service/current/" 2>/dev/null)" = "$made" ] || overtaken
fi
systemctl restart --no-block "$unit" 2>/dev/null || { stale; reread; systemctl restart --no-block "$unit"; }
stopped=
