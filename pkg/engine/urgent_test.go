package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

func TestTheMostUrgentIsWrittenFirst(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("data", "cache", 1), service("data", "db", 1), service("data", "queue", 1), service("apps", "api", 1, needs("db")))
	tests := map[string]struct {
		ranks map[string]time.Duration
		want  []string
	}{
		"in plan order when nothing is known": {want: []string{"cache", "db", "queue"}},
		"by rank, equals in plan order":       {ranks: map[string]time.Duration{"cache": 1, "db": 9, "queue": 1}, want: []string{"db", "cache", "queue"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := newFakeWorld(nil).world()
			world.Ranks = tc.ranks
			var got []string
			for _, o := range engine.Decide(p, world, began).Apply {
				got = append(got, o.Service)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// The service was written at 0s and moved last at 1s; the clock of all others is 20s.
func TestAServiceHasAClockOfItsOwn(t *testing.T) {
	t.Parallel()
	p, w := slow(t)
	world := w.world()
	world.OwnClocks = map[string]engine.Clocks{"api": {NoProgress: 5 * time.Second, Deadline: time.Minute}}
	d := engine.Decide(p, world, began.Add(4*time.Second))
	if s := d.Services[0]; s.State != v1alpha1.ServiceProgressing || !d.Wake.Equal(began.Add(6*time.Second)) {
		t.Errorf("before its time it is %s (%s), and wakes at %s", s.State, s.Message, d.Wake)
	}
	d = engine.Decide(p, world, began.Add(6*time.Second))
	if s := d.Services[0]; class(s) != v1alpha1.CauseNoProgress {
		t.Errorf("after its time it is %s %s (%s)", s.State, class(s), s.Message)
	}
}
