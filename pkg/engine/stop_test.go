package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

func TestAFailureAndWhatDoesNotDependOnIt(t *testing.T) {
	t.Parallel()
	// worker needs cache alone; api needs db, which fails.
	p := product{order: v1alpha1.OrderNeeds, groups: tiers}
	p.services = append(p.services, service("data", "cache", 1), service("data", "db", 1),
		service("apps", "api", 1, needs("db")), service("apps", "worker", 1, needs("cache")))
	made := p.plan(t)
	fates := map[string]fate{"Deployment/db": breaks}
	tests := map[string]struct {
		stop bool
		want []string
	}{
		"is left to go on with Isolate": {want: []string{"cache Ready []", "db Failed []", "worker Ready []", "api Blocked [db]"}},
		"does not start with Stop":      {stop: true, want: []string{"cache Ready []", "db Failed []", "worker Blocked [db]", "api Blocked [db]"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behaves := ends(made, fates)
			behaves[key(made, "Deployment/cache")] = behaviour{delay: 5}
			w := newFakeWorld(behaves)
			w.stop = tc.stop
			w.run(made, 15)
			d := w.decide(made)
			var got []string
			for _, s := range d.Services {
				got = append(got, fmt.Sprintf("%s %s %v", s.Name, s.State, s.WaitingFor))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if d.Phase != v1alpha1.PhaseFailed {
				t.Errorf("the phase is %s: %s", d.Phase, d.Message)
			}
		})
	}
}

func TestStopWritesNothingAfterAFailure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t).plan(t)
		w := newFakeWorld(nil)
		drawBehaviours(t, w.behaves, p, comes, never, breaks, refused)
		w.stop = true
		for range 60 {
			d := w.decide(p)
			if failed(d) && len(d.Passive)+len(d.Apply) > 0 {
				t.Fatalf("after a failure it writes %v %v", d.Passive, d.Apply)
			}
			w.act(d)
			w.tick()
		}
	})
}

func failed(d engine.Decision) bool {
	for _, s := range d.Services {
		if s.State == v1alpha1.ServiceFailed {
			return true
		}
	}
	return false
}
