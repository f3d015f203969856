package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

func TestAStartIsEnoughForWhoAsksForIt(t *testing.T) {
	t.Parallel()
	need := func(n v1alpha1.Need) func(*render.Service) {
		return func(s *render.Service) { s.Needs = append(s.Needs, n) }
	}
	tests := map[string]struct {
		need  v1alpha1.Need
		fates map[string]fate
		want  [][]string // the deployments written, tick by tick, until nothing is
	}{
		"ready, of a service":                  {need: v1alpha1.Need{Service: "db"}, want: [][]string{{"cache", "db"}, {}, {"api"}}},
		"started, of a service":                {need: v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}, want: [][]string{{"cache", "db"}, {"api"}}},
		"started, of a group":                  {need: v1alpha1.Need{Group: "data", Until: v1alpha1.UntilStarted}, want: [][]string{{"cache", "db"}, {"api"}}},
		"started, of a service that fails":     {need: v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}, fates: map[string]fate{"Deployment/db": breaks}, want: [][]string{{"cache", "db"}, {"api"}}},
		"started, of what may not be written":  {need: v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}, fates: map[string]fate{"Deployment/db": refused}, want: [][]string{{"cache", "db"}}},
		"started, of a group partly unwritten": {need: v1alpha1.Need{Group: "data", Until: v1alpha1.UntilStarted}, fates: map[string]fate{"Deployment/cache": refused}, want: [][]string{{"cache", "db"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := product{order: v1alpha1.OrderNeeds, groups: tiers, services: []render.Service{
				service("data", "cache", 1), service("data", "db", 1), service("apps", "api", 1, need(tc.need)),
			}}.plan(t)
			behaves := ends(p, tc.fates)
			if tc.fates == nil {
				behaves[key(p, "Deployment/db")] = behaviour{delay: 1}
			}
			w := newFakeWorld(behaves)
			var got [][]string
			for range 4 {
				d := w.decide(p)
				written := []string{}
				for _, o := range d.Apply {
					written = append(written, o.Service)
				}
				slices.Sort(written)
				got = append(got, written)
				w.act(d)
				w.tick()
			}
			for len(got) > 0 && len(got[len(got)-1]) == 0 {
				got = got[:len(got)-1]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}
