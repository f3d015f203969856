package measure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/measure"
)

// told is what a machine says of a service that was started and ready so many seconds
// after the beginning.
func told(service string, started, ready float64, starts, changed int) string {
	at := func(seconds float64) string {
		return began.Add(time.Duration(seconds * float64(time.Second))).Format("Mon 2006-01-02 15:04:05.000000 MST")
	}
	return fmt.Sprintf("record {\"name\":\"%s-0\",\"labels\":{\"spock.dev/service\":%q}}\nActiveEnterTimestamp=%s\nInactiveExitTimestamp=%s\nstarts=%d\nchanged=%d\n",
		service, service, at(ready), at(started), starts, changed)
}

func TestServicesOnMachinesAreReadOffTheMachines(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		log  func(*log)
		want []string
	}{
		"a machine after a machine": {told("db", 0.25, 2.25, 1, 5) + told("api", 2.5, 3.5, 1, 5), func(*log) {},
			[]string{"overhead 1s of 3s", "late [250ms]", "violations []", "2 written, 0 again, 2 writes"}},
		"a pod after a machine": {told("db", 0, 2, 1, 5), func(l *log) { l.write(2.25, "api", 1); l.status(3.25, "api", 1, 1) },
			[]string{"overhead 1s of 3s", "late [250ms]", "violations []", "2 written, 0 again, 2 writes"}},
		"a machine before its pod is ready": {told("api", 1, 2, 1, 5), func(l *log) { l.write(0, "db", 1); l.status(2, "db", 1, 1) },
			[]string{"overhead 1s of 3s", "late [-1s]", "violations [api]", "2 written, 0 again, 2 writes"}},
		"a service that is not ready after its last start": {told("db", 2, 1, 1, 5), func(*log) {},
			[]string{"overhead 4s of 0s", "late []", "violations []", "1 written, 0 again, 1 writes"}},
		"a service that was started three times": {told("db", 2, 3, 3, 5), func(*log) {},
			[]string{"overhead 3s of 1s", "late []", "violations []", "1 written, 2 again, 1 writes"}},
		"a service that nobody touches": {told("db", -9, -8, 0, 0), func(*log) {},
			[]string{"overhead 4s of 0s", "late []", "violations []", "0 written, 0 again, 0 writes"}},
		"a file that is written, and nothing is started": {told("db", -9, -8, 0, 1), func(*log) {},
			[]string{"overhead 4s of 0s", "late []", "violations []", "0 written, 0 again, 1 writes"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units, err := measure.ReadUnits(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			l := &log{}
			tc.log(l)
			all, err := measure.ReadFrom(strings.NewReader(l.String()), 0)
			if err != nil {
				t.Fatal(err)
			}
			run := measure.Of(all, measure.Window{From: began, To: began.Add(4 * time.Second), Engine: "engine", Namespace: "shop"})
			run.Add(units)
			over, limit := run.Overhead(shop)
			got := []string{
				fmt.Sprintf("overhead %v of %v", over, limit), fmt.Sprintf("late %v", run.Lateness(shop)), fmt.Sprintf("violations %v", run.Violations(shop)),
				fmt.Sprintf("%d written, %d again, %d writes", len(run.Written), run.Again, run.Writes()),
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("run (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAUnitThatWasNeverStartedHasNoTimes(t *testing.T) {
	t.Parallel()
	units, err := measure.ReadUnits(strings.NewReader("record {}\nInactiveExitTimestamp=\nActiveEnterTimestamp=\nstarts=0\nchanged=0\n"))
	if diff := cmp.Diff([]measure.Unit{{}}, units); diff != "" || err != nil {
		t.Errorf("ReadUnits(): %v (-want +got):\n%s", err, diff)
	}
	for name, text := range map[string]string{
		"no service before": "starts=1\n", "no record": "record x\n", "no time": "record {}\nActiveEnterTimestamp=soon\n", "no number": "record {}\nstarts=some\n",
	} {
		if _, err := measure.ReadUnits(strings.NewReader(text)); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}
