# remove.sh EPOCH ID OWNER: stops a service and leaves nothing of it.
named "$2"
fence "$1"
[ -d "$conf/services/$2" ] || exit 0
ours "$2" "$3"
unit=spock-$2.service
systemctl stop "$unit" 2>/dev/null || true
rm -f "$units/multi-user.target.wants/$unit" "$units/$unit"
systemctl daemon-reload
systemctl reset-failed "$unit" 2>/dev/null || true
rm -rf "/var/lib/private/spock-$2" "/var/lib/spock-$2"
rm -f "/run/spock/$2.passwd" "/run/spock/$2.group"
rmdir /run/spock 2>/dev/null || true
rm -rf "$conf/services/$2"
