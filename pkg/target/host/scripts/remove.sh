# remove.sh EPOCH ID OWNER: stops a service and leaves nothing of it.
named "$2"
fence "$1"
[ -d "$conf/services/$2" ] || exit 0
ours "$2" "$3"
unit=spock-$2.service sockets=spock-$2.socket
all=$(units_of "$2")
rm -rf "$conf/services/$2"/coming.*    # what is on its way there comes too late
exec 9>&-    # others need not wait until it has stopped
systemctl stop $all 2>/dev/null || true
fence "$1"
[ -d "$conf/services/$2" ] || exit 0
ours "$2" "$3"
systemctl stop $all 2>/dev/null || true    # what had come already may have started it
rm -f "$units/multi-user.target.wants/$unit" "$units/$unit" "$units/$sockets"
rm -rf "/var/lib/private/spock-$2" "/var/lib/spock-$2"
rm -f "/run/spock/$2.passwd" "/run/spock/$2.group"
rmdir /run/spock 2>/dev/null || true
# The package, unless another service needs it; when that fails, the service is still known.
if [ -f "$conf/services/$2/current/uninstall" ]; then
  needed=
  for other in "$conf"/services/*; do
    [ "$other" = "$conf/services/$2" ] || [ "$(cat "$other/current/uninstall" 2>/dev/null)" != "$(cat "$conf/services/$2/current/uninstall")" ] || needed=yes
  done
  exec 7>"$conf/packages"
  flock 7
  export DEBIAN_FRONTEND=noninteractive HOME=/root
  [ -n "$needed" ] || said=$(umask 022; sh "$conf/services/$2/current/uninstall" 2>&1 < /dev/null 7>&- 9>&-) || fail 68 "remove the package: $said"
fi
# What was made to mount something there, the deepest first, unless another service has it.
sort -r "$conf/services/$2/made" 2>/dev/null | while read -r path; do
  for other in "$conf"/services/*; do
    [ "$other" = "$conf/services/$2" ] || ! grep -q -x -F "$path" "$other/made" 2>/dev/null || continue 2
  done
  if [ -d "$path" ]; then rmdir "$path"; elif [ -f "$path" ] && [ ! -s "$path" ]; then rm "$path"; fi 2>/dev/null || true
done
rm -rf "$conf/services/$2"
if [ -z "$(ls "$conf/services")" ]; then
  rm -f "$units/multi-user.target.wants/spock.service" "$units/spock.service"
  all="$all spock.service"
fi
exec 9>&-
# systemd forgets what no other unit names, once it has not failed. Else it reads all anew.
systemctl reset-failed $all 2>/dev/null || true
if systemctl show --property=LoadState --value $all | grep -q -v -x -e not-found -e ''; then
  stale
  reread
  systemctl reset-failed $all 2>/dev/null || true
fi
echo "spock-$2 is gone" | systemd-cat --identifier=spock-removal || true    # for who watches
