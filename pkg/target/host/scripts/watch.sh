# watch.sh: tells how all services are, once, and again whenever systemd does something
# to a unit. One answer: for each service `service ID`, its record in one line, and what
# systemd says of its unit; then `end`.
tell() {
  for service in "$conf"/services/*; do
    [ -f "$service/current/record" ] || continue
    echo "service ${service##*/}"
    printf 'record %s\n' "$(head -c 1000000 "$service/current/record" | tr -d '\n')"    # echo would read its backslashes
    (cd "$service/current" && sha256sum --status --check sums 2>/dev/null) && echo Intact=yes || echo Intact=no
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
# The journal is followed before the first answer, so that nothing is missed between.
{ echo; journalctl --follow --lines=1 --output=cat _PID=1; } | while read -r _; do tell_whole; done
