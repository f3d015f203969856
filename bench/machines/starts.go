package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"spock.dev/spock/bench/measure"
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// look prints for each service its labels, and what systemd knows of its last start.
const look = `for service in /etc/spock/services/*; do
  [ -f "$service/current/record" ] || continue
  echo "service"
  echo "record=$(tr -d '\n' < "$service/current/record")"
  systemctl show --timestamp=us+utc "spock-${service##*/}.service" --property=InactiveExitTimestamp,ActiveEnterTimestamp,NRestarts,InvocationID
done`

// Starts are the last starts of all services on all machines, by the name of the service.
func (p *Park) Starts(ctx context.Context) (map[string]measure.Start, error) {
	found := make([]map[string]measure.Start, len(p.Machines))
	errs := make([]error, len(p.Machines))
	var group sync.WaitGroup
	for i, m := range p.Machines {
		group.Go(func() {
			out, err := m.conn.Run(ctx, look, nil)
			if err == nil {
				found[i], err = parse(out)
			}
			if err != nil {
				errs[i] = fmt.Errorf("look at machine %s: %w", m.Name, err)
			}
		})
	}
	group.Wait()
	all := map[string]measure.Start{}
	for _, some := range found {
		for name, s := range some {
			all[name] = s
		}
	}
	return all, errors.Join(errs...)
}

func parse(out string) (map[string]measure.Start, error) {
	all := map[string]measure.Start{}
	for _, block := range strings.Split(out, "service\n")[1:] {
		values := map[string]string{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[name] = value
		}
		var record struct {
			Labels map[string]string `json:"labels"`
		}
		if err := json.Unmarshal([]byte(values["record"]), &record); err != nil {
			return nil, fmt.Errorf("read the record of a service: %w", err)
		}
		began, beganErr := stamp(values["InactiveExitTimestamp"])
		ready, readyErr := stamp(values["ActiveEnterTimestamp"])
		restarts, restartsErr := strconv.Atoi(values["NRestarts"])
		if err := errors.Join(beganErr, readyErr, restartsErr); err != nil {
			return nil, err
		}
		all[record.Labels[v1alpha1.LabelService]] = measure.Start{Began: began, Ready: ready, Restarts: restarts, ID: values["InvocationID"]}
	}
	return all, nil
}

// stamp reads a time as systemctl prints it with microseconds; none is none.
func stamp(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse("Mon 2006-01-02 15:04:05.999999 MST", text)
	if err != nil {
		return t, fmt.Errorf("read the time of a start: %w", err)
	}
	return t, nil
}
