# logs.sh ID LINES [follow]: the last lines that a service has printed, and those to come.
named "$1" "$2"
exec journalctl --quiet --no-pager --output=cat --lines="$2" ${3:+--follow} "_SYSTEMD_UNIT=spock-$1.service"
