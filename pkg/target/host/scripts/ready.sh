# ready.sh SECONDS none | tcp PORT | http PORT PATH | exec COMMAND...: waits, on the
# machine, until a service is ready, and has then lived for some seconds. systemd runs it,
# tells the process in MAINPID, and ends it when that takes too long. When the process is
# gone there is nothing to wait for.
stable=$1 what=$2; shift 2
alive() { [ -d "/proc/$MAINPID" ] || fail 1 "the process has ended"; }
listens() {
  hex=$(printf ':%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | {
    while read -r _ local _ state _; do
      case $local$state in *"$hex"0A) exit 0 ;; esac
    done
    exit 1
  }
}
answers() {
  bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$2" >&3 &&
    read -r -t 5 -u 3 _ code _ && [ "$code" -ge 200 ] && [ "$code" -lt 400 ]' spock "$1" "$2" 2>/dev/null
}
nsenter=$(command -v nsenter)
# A program without a path is looked up where the service looks it up.
runs() {
  path=$(tr '\0' '\n' 2>/dev/null < "/proc/$MAINPID/environ" | sed -n 's/^PATH=//p')
  uid=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$MAINPID/status")
  gid=$(sed -n 's/^Gid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$MAINPID/status")
  PATH=${path:-$PATH} "$nsenter" --target "$MAINPID" --mount --root --wd --setuid "$uid" --setgid "$gid" -- "$@" >/dev/null 2>&1
}
case $what in
  tcp) until listens "$1"; do alive; sleep 0.1; done ;;
  http) command -v bash >/dev/null || fail 64 "http readiness needs bash"
        until listens "$1" && answers "$1" "$2"; do alive; sleep 0.2; done ;;
  exec) until runs "$@"; do alive; sleep 0.5; done ;;
  none) ;;
  *) fail 64 "no such readiness: $what" ;;
esac
for _ in $(seq "$stable"); do alive; sleep 1; done
alive
