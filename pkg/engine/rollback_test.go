package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

func TestRollBack(t *testing.T) {
	t.Parallel()
	before := planOf(t, tiers, service("data", "db", 1), service("apps", "api", 1), service("apps", "web", 1))
	now := planOf(t, tiers, service("data", "db", 1), service("apps", "api", 2), service("apps", "web", 2), service("apps", "new", 1))
	state := func(s v1alpha1.ServiceState, names ...string) (all []v1alpha1.ServiceStatus) {
		for _, name := range names {
			one := v1alpha1.ServiceStatus{Name: name, State: s}
			if s == v1alpha1.ServiceFailed {
				one.Cause = &v1alpha1.Cause{Class: v1alpha1.CauseImage, Message: "no such image", Log: strings.Repeat("x", 5000)}
			}
			all = append(all, one)
		}
		return all
	}
	failed := func(names ...string) []v1alpha1.ServiceStatus {
		return append(state(v1alpha1.ServiceReady, "other"), state(v1alpha1.ServiceFailed, names...)...)
	}
	tests := map[string]struct {
		services []v1alpha1.ServiceStatus
		failed   *plan.Plan
		scope    v1alpha1.RollbackScope
		images   string
		restored []string
		why      string
	}{
		"all of it":                       {failed("api"), now, v1alpha1.RollbackEnvironment, "db:1 api:1 web:1", nil, ""},
		"all of it, when nobody says":     {failed("api"), now, "", "db:1 api:1 web:1", nil, ""},
		"what it was already":             {failed("api"), before, v1alpha1.RollbackEnvironment, "", nil, "it is already as it was"},
		"the service that failed":         {failed("api"), now, v1alpha1.RollbackService, "db:1 api:1 web:2 new:1", []string{"api"}, ""},
		"the services that failed":        {failed("api", "web"), now, v1alpha1.RollbackService, "db:1 api:1 web:1 new:1", []string{"api", "web"}, ""},
		"one of them, for one is new":     {failed("api", "new"), now, v1alpha1.RollbackService, "db:1 api:1 web:2 new:1", []string{"api"}, ""},
		"a service that is new":           {failed("new"), now, v1alpha1.RollbackService, "", nil, "new had nothing else to run"},
		"a service that is as it was":     {failed("db"), now, v1alpha1.RollbackService, "", nil, "db had nothing else to run"},
		"when nothing failed that it has": {state(v1alpha1.ServiceBlocked, "api"), now, v1alpha1.RollbackService, "", nil, "no service failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			back, why := engine.RollBack(tc.services, tc.failed, before, tc.scope)
			if why != tc.why {
				t.Fatalf("RollBack() says %q, want %q", why, tc.why)
			}
			if diff := cmp.Diff(tc.restored, back.Services); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if back.Plan == nil {
				return
			}
			var images []string
			for _, n := range back.Plan.Nodes {
				if n.Kind == plan.Service {
					images = append(images, strings.TrimPrefix(n.Image, "registry/"))
				}
			}
			if diff := cmp.Diff(tc.images, strings.Join(images, " ")); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
	if name, cause := engine.FirstFailure(failed("api", "web")); name != "api" || len(cause.Log) > 2100 {
		t.Errorf("the first failure is of %s, with %d bytes of log", name, len(cause.Log))
	}
}

// Whatever of an update fails, and wherever the controller is killed, the way back ends, in
// order: with all services ready as they were, or, of services alone, with nothing failed
// that could be brought back.
func TestTheWayBackEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		good, bad, behaves := p.plan(t), everyRevision(p, 2).plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, good, comes)
		k := newWalker(t, newFakeWorld(behaves), good)
		k.reach()
		scope := rapid.SampledFrom([]v1alpha1.RollbackScope{v1alpha1.RollbackEnvironment, v1alpha1.RollbackService}).Draw(t, "scope")
		broken := map[string]bool{} // hashes that do not come up
		for _, o := range objectsOf(bad) {
			if o.Kind != "ConfigMap" && rapid.IntRange(0, 3).Draw(t, o.Key.String()+" breaks") == 0 {
				broken[o.Hash] = true
			}
		}
		now := bad
		for retreats := 0; ; retreats++ {
			if retreats > len(p.services) {
				t.Fatalf("still on the way back after %d runs", retreats)
			}
			k.follow(now)
			k.w.scope.Run, k.w.record, k.told, k.w.refused = rapid.StringMatching("shop-[a-z]{6}").Draw(t, "run"), nil, nil, map[plan.Key]engine.Refusal{}
			k.w.stop = scope == v1alpha1.RollbackEnvironment && retreats == 0
			for _, o := range objectsOf(now) {
				b := behaves[o.Key]
				b.fate = comes
				if broken[o.Hash] {
					b.fate = breaks
				}
				behaves[o.Key] = b
			}
			k.forget = restarts(t)
			end := k.finish()
			if end.Phase == v1alpha1.PhaseReady {
				k.checkLeft()
				return
			}
			back, why := engine.RollBack(end.Services, now, good, scope)
			if why != "" {
				t.Fatalf("no way back (%s) from\n%+v", why, end.Services)
			}
			now = back.Plan
		}
	})
}
