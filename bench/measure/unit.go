package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Unit is a service on a machine, as the machine's systemd, journal and files have it.
type Unit struct {
	// Service of the product.
	Service string
	// Started is when systemd began to start it last, Ready when it was ready after that.
	Started, Ready time.Time
	// Starts is how often systemd began to start it since the machine was asked to count.
	Starts int
	// Changed says that a file of it was written since then.
	Changed bool
}

// stamp is how systemctl tells a time with --timestamp=us+utc.
const stamp = "Mon 2006-01-02 15:04:05.000000 MST"

// ReadUnits reads what a machine tells: for each service the line `record JSON` with what
// Spock keeps beside it, then lines NAME=VALUE with the properties of its unit, `starts`
// and the number of its `changed` files.
func ReadUnits(r io.Reader) ([]Unit, error) {
	var all []Unit
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if record, is := strings.CutPrefix(line, "record "); is {
			kept := struct{ Labels map[string]string }{}
			if err := json.Unmarshal([]byte(record), &kept); err != nil {
				return nil, fmt.Errorf("read the record of a service: %w", err)
			}
			all = append(all, Unit{Service: kept.Labels[v1alpha1.LabelService]})
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("read a machine's units: %q belongs to none", line)
		}
		if err := all[len(all)-1].hear(line); err != nil {
			return nil, fmt.Errorf("read service %s of a machine: %w", all[len(all)-1].Service, err)
		}
	}
	return all, lines.Err()
}

// hear takes one line. A time that has not come yet is empty.
func (u *Unit) hear(line string) error {
	name, value, _ := strings.Cut(line, "=")
	var err error
	switch {
	case value == "":
	case name == "InactiveExitTimestamp":
		u.Started, err = time.Parse(stamp, value)
	case name == "ActiveEnterTimestamp":
		u.Ready, err = time.Parse(stamp, value)
	case name == "starts":
		u.Starts, err = strconv.Atoi(value)
	case name == "changed":
		u.Changed = value != "0"
	}
	return err
}

// Add adds what happened on machines to a run: the write of a service there is when
// systemd began to start it, so that all that brings it there counts as the engine's. One
// that was started more than once counts as written again.
func (r *Run) Add(units []Unit) {
	for _, u := range units {
		if u.Changed || u.Starts > 0 {
			r.Changed++
		}
		if u.Starts == 0 {
			continue
		}
		r.Again += u.Starts - 1
		r.Written[u.Service] = u.Started
		if !u.Ready.Before(u.Started) {
			r.Ready[u.Service] = u.Ready
		}
	}
}
