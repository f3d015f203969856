# watch.sh: tells how all services are, once, and again whenever systemd does something
# to a unit. One answer: for each service `service ID`, its record in one line, and what
# systemd says of its unit; then `end`.
intact() {
  sockets=spock-${1##*/}.socket
  (cd "$1/current" && sha256sum --status --check sums 2>/dev/null) || return 1
  [ ! -f "$1/current/$sockets" ] ||
    { systemctl is-active -q "$sockets" && [ "$(cat "$1/current/$sockets")" = "$(cat "$units/$sockets" 2>/dev/null)" ]; }
}

# tell asks systemd once for all services: each question is a process, on a machine that may
# have many services. Its answers have an empty line between them, and each is told after its service.
tell() {
  set --
  for service in "$conf"/services/*; do
    [ ! -f "$service/current/record" ] || set -- "$@" "spock-${service##*/}.service"
  done
  [ $# -eq 0 ] || systemctl show "$@" \
    --property=ActiveState,SubState,Result,NRestarts,ExecMainCode,ExecMainStatus,InvocationID,LoadState,Job | {
    for unit in "$@"; do
      service=${unit#spock-} && service=$conf/services/${service%.service}
      echo "service ${service##*/}"
      record=$(head -c 1000000 "$service/current/record" 2>/dev/null) || true
      case $record in *"
"*) record=$(printf %s "$record" | tr -d '\n') ;; esac    # somebody has edited it
      printf 'record %s\n' "$record"    # echo would read its backslashes
      intact "$service" && echo Intact=yes || echo Intact=no
      while read -r line && [ -n "$line" ]; do printf '%s\n' "$line"; done
    done
  }
  echo end
}

# tell_whole tells nothing of a service that is being switched: it would be the record of
# what is wanted beside the state of what was. Many may be switched at once, and share the lock.
tell_whole() {
  [ -d "$conf/services" ] || { echo end; return 0; }
  exec 8>"$conf/switch"
  flock 8
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
# is looked at again after two seconds, and all after thirty. One read takes all lines that
# have come meanwhile, so that one look answers them together; the dot tells an empty line
# from the end. systemd says nothing of the end of a removal: the removal itself does, and after
# each line there is one more look, should that one be lost.
{ echo; journalctl --follow --lines=1 --output=cat _PID=1 + _UID=0 SYSLOG_IDENTIFIER=spock-removal & while sleep 2; do echo tick; done; } | {
  moving='' silent=0
  while lines=$(dd bs=65536 count=1 2>/dev/null; echo .) && [ "$lines" != . ]; do
    said=yes
    if [ "$lines" = "tick
." ]; then
      said='' silent=$((silent + 2))
      [ -n "$moving" ] || [ "$silent" -ge 30 ] || continue
    fi
    silent=0
    look
    [ -z "$said" ] || moving=yes
  done
}
