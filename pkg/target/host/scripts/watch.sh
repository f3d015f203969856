# watch.sh: tells how all services are, once, and again whenever systemd does something
# to a unit. One answer: for each service `service ID`, its record in one line, and what
# systemd says of its unit; then `end`.
intact() {
  sockets=spock-${1##*/}.socket
  (cd "$1/current" && sha256sum --status --check sums 2>/dev/null) || return 1
  [ ! -f "$1/current/$sockets" ] ||
    { systemctl is-active -q "$sockets" && [ "$(cat "$1/current/$sockets")" = "$(cat "$units/$sockets" 2>/dev/null)" ]; }
}

tell() {
  for service in "$conf"/services/*; do
    [ -f "$service/current/record" ] || continue
    echo "service ${service##*/}"
    printf 'record %s\n' "$(head -c 1000000 "$service/current/record" | tr -d '\n')"    # echo would read its backslashes
    intact "$service" && echo Intact=yes || echo Intact=no
    systemctl show "spock-${service##*/}.service" \
      --property=ActiveState,SubState,Result,NRestarts,ExecMainCode,ExecMainStatus,InvocationID,LoadState,Job
  done
  echo end
}

# tell_whole tells nothing of a service that is being switched: it would be the record of
# what is wanted beside the state of what was.
tell_whole() {
  [ -d "$conf/services" ] || { echo end; return 0; }
  exec 8>"$conf/switch"
  flock -s 8
  tell
  exec 8>&-
}
# look gives an answer, and notes whether something is on its way in it.
look() {
  answer=$(tell_whole)
  printf '%s\n' "$answer"
  moving=
  case $answer in *"
ActiveState=activating"* | *"
ActiveState=deactivating"* | *"
Job="[1-9]*) moving=yes ;; esac
}
# The journal is followed before the first answer, so that nothing is missed between. A line
# of it may come late or never, the last one before a silence above all: what is on its way
# is looked at again after two seconds, and all after thirty.
{ echo; journalctl --follow --lines=1 --output=cat _PID=1 & while sleep 2; do echo tick; done; } | {
  moving='' silent=0
  while read -r line; do
    if [ "$line" = tick ]; then
      silent=$((silent + 2))
      [ -n "$moving" ] || [ "$silent" -ge 30 ] || continue
    fi
    silent=0
    look
  done
}
