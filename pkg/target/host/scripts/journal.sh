# journal.sh ID LINES [INVOCATION]: the last lines of a service.
named "$1" "$2"
if [ -n "${3:-}" ]; then
  named "$3"
  journalctl --no-pager --output=cat --lines="$2" "_SYSTEMD_INVOCATION_ID=$3"
else
  journalctl --no-pager --output=cat --lines="$2" --unit="spock-$1.service"
fi
