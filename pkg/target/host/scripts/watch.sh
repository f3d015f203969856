# watch.sh: tells how all services are, once, and again whenever systemd does something
# to a unit. One answer: for each service `service ID`, its record in one line, and what
# systemd says of its unit; then `end`.
tell() {
  for service in "$conf"/services/*; do
    [ -f "$service/current/record" ] || continue
    echo "service ${service##*/}"
    echo "record $(head -c 65536 "$service/current/record" | tr -d '\n')"
    systemctl show "spock-${service##*/}.service" \
      --property=ActiveState,SubState,Result,NRestarts,ExecMainCode,ExecMainStatus,InvocationID,LoadState,NeedDaemonReload
  done
  echo end
}
# The journal is followed before the first answer, so that nothing is missed between.
{ echo; journalctl --follow --lines=1 --output=cat _PID=1; } | while read -r _; do tell; done
