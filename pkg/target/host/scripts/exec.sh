# exec.sh ID COMMAND...: runs a command as a service runs: in its root and folder, as its
# user, with its variables.
named "$1"
pid=$(systemctl show --property=MainPID --value "spock-$1.service")
[ "${pid:-0}" -gt 0 ] || fail 1 "the service does not run"
shift
exec bash -c '
  pid=$1 nsenter=$(command -v nsenter); shift
  uid=$(sed -n "s/^Uid:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$pid/status")
  gid=$(sed -n "s/^Gid:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$pid/status")
  while IFS= read -r -d "" variable; do export "${variable?}"; done < "/proc/$pid/environ"
  exec "$nsenter" --target "$pid" --mount --root --wd --setuid "$uid" --setgid "$gid" -- "$@"
' spock "$pid" "$@"
