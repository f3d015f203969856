package machines

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/measure"
)

func TestStartsAreReadOffSystemd(t *testing.T) {
	t.Parallel()
	got, err := parse(`service
record={"name":"s001-0","labels":{"spock.dev/service":"s001"}}
NRestarts=1
InactiveExitTimestamp=Fri 2026-11-27 20:01:02.000250 UTC
ActiveEnterTimestamp=Fri 2026-11-27 20:01:03.5 UTC
InvocationID=abc
service
record={"name":"s002-0","labels":{"spock.dev/service":"s002"}}
NRestarts=0
InactiveExitTimestamp=Fri 2026-11-27 20:01:02.000001 UTC
ActiveEnterTimestamp=
InvocationID=def
`)
	at := time.Date(2026, 11, 27, 20, 1, 2, 0, time.UTC)
	want := map[string]measure.Start{
		"s001": {Began: at.Add(250 * time.Microsecond), Ready: at.Add(1500 * time.Millisecond), Restarts: 1, ID: "abc"},
		"s002": {Began: at.Add(time.Microsecond), ID: "def"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("starts (-want +got), %v:\n%s", err, diff)
	}
	for _, broken := range []string{"service\nrecord=x\n", "service\nrecord={}\nNRestarts=0\nInactiveExitTimestamp=yesterday\n"} {
		if _, err := parse(broken); err == nil {
			t.Errorf("%q is taken", broken)
		}
	}
}
