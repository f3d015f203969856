package machines

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"spock.dev/spock/bench/measure"
)

// look tells, in the words of measure.ReadUnits, how the services are, and what was done
// to each since a time. The number in the journal's query is systemd's own for the line
// that says that it begins to start a unit.
const look = `set -eu
export LC_ALL=C
journalctl --sync
starts=$(journalctl --quiet --no-pager --output=json --output-fields=UNIT --since="@$1" _PID=1 MESSAGE_ID=7d4958e842da4a758f6c1cdc7b36dcc5)
for service in /etc/spock/services/*; do
  [ -f "$service/current/record" ] || continue
  unit=spock-${service##*/}.service
  printf 'record %s\n' "$(cat "$service/current/record")"
  systemctl show "$unit" --timestamp=us+utc --property=InactiveExitTimestamp,ActiveEnterTimestamp
  echo "starts=$(printf '%s\n' "$starts" | grep -c -F "\"$unit\"" || true)"
  echo "changed=$(find "$service/" "/etc/systemd/system/$unit" -newerct "@$1" | wc -l)"
done
`

// Units are all services on the machines, with what was done to them since a time. All
// machines have one kernel, and with it one clock: that of the apiserver.
func (y *Yard) Units(ctx context.Context, since time.Time) ([]measure.Unit, error) {
	var mu sync.Mutex
	var all []measure.Unit
	err := y.each(func(m Machine) error {
		some, err := m.units(ctx, since)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, some...)
		return err
	})
	return all, err
}

// units goes into the machine's namespaces: the way of the engine there is not used.
func (m Machine) units(ctx context.Context, since time.Time) ([]measure.Unit, error) {
	from := strconv.FormatFloat(float64(since.UnixMicro())/1e6, 'f', 6, 64)
	var problems bytes.Buffer
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(m.Pid), "--all", "--", "/bin/sh", "-c", look, "look", from)
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("look at machine %s: %w: %s", m.Name, err, problems.Bytes())
	}
	units, err := measure.ReadUnits(bytes.NewReader(out))
	if err != nil {
		return nil, fmt.Errorf("look at machine %s: %w", m.Name, err)
	}
	return units, nil
}
