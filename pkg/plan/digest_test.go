package plan_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// pair is a small product that the changes of a test are made to.
func pair(changes ...func(*plan.Input)) plan.Input {
	in := input(byGroups, group("data", service("db"), service("cache")), group("apps", service("api", hook("migrate")), service("web")))
	for _, change := range changes {
		change(&in)
	}
	return in
}

func at(name string, change func(*render.Service)) func(*plan.Input) {
	return func(in *plan.Input) {
		for i := range in.Rendered.Services {
			if in.Rendered.Services[i].Name == name {
				change(&in.Rendered.Services[i])
			}
		}
	}
}

func set(o *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err)
	}
}

func TestDigestChangesWithWhatIsWrittenOrWaitedFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*plan.Input)
		same   bool
	}{
		"nothing": {change: func(*plan.Input) {}, same: true},
		"the image that is told, but nothing that is written": {
			change: at("api", func(s *render.Service) { s.Image = "registry/api:2" }), same: true,
		},
		"services listed in another order": {
			change: func(in *plan.Input) {
				s := in.Rendered.Services
				s[0], s[1], s[2], s[3] = s[1], s[0], s[3], s[2]
			}, same: true,
		},
		"a reference":       {change: at("web", refersTo("api"))},
		"a soft need":       {change: at("web", need(v1alpha1.Need{Service: "api", Soft: true})), same: true},
		"a need of a start": {change: at("web", need(v1alpha1.Need{Service: "api", Until: v1alpha1.UntilStarted}))},
		"a need":            {change: at("web", needs("api"))},
		"another order":     {change: func(in *plan.Input) { in.Product.Spec.Order = byNeeds }},
		"a workload":        {change: at("api", func(s *render.Service) { set(s.Workloads[0], int64(2), "spec", "replicas") })},
		"a config":          {change: at("api", func(s *render.Service) { set(s.Passive[0], "debug", "data", "level") })},
		"a hook":            {change: at("api", func(s *render.Service) { set(s.Hooks[0].Job, int64(1), "spec", "backoffLimit") })},
		"a hook more":       {change: at("api", hook("seed"))},
		"a hook less":       {change: at("api", func(s *render.Service) { s.Hooks = nil })},
		"an object less":    {change: at("api", func(s *render.Service) { s.Passive = nil })},
		"a service less":    {change: func(in *plan.Input) { in.Rendered.Services = in.Rendered.Services[:3] }},
		"an environment that is made later": {
			change: func(in *plan.Input) { in.Environment.UID = "uid-2" },
			same:   true,
		},
		"an object that moves to another service": {
			change: func(in *plan.Input) {
				s := in.Rendered.Services
				s[3].Workloads = append(s[3].Workloads, s[2].Workloads[0])
				s[2].Workloads = nil
			},
		},
	}
	before := compute(t, pair()).Digest
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if same := compute(t, pair(tc.change)).Digest == before; same != tc.same {
				t.Errorf("the digest stays: %t, want %t", same, tc.same)
			}
		})
	}
}

// The order of a map's keys is not the object's, whichever way the map was filled.
func TestHashDoesNotDependOnTheOrderOfMaps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}`), 2, 12, rapid.ID[string]).Draw(t, "keys")
		shuffled := rapid.Permutation(keys).Draw(t, "shuffled")
		if a, b := hashOfConfig(t, keys), hashOfConfig(t, shuffled); a != b {
			t.Fatalf("hash %s filled as %v, %s filled as %v", a, keys, b, shuffled)
		}
	})
}

func hashOfConfig(t *rapid.T, keys []string) string {
	data := map[string]any{}
	for _, k := range keys {
		data[k] = "value of " + k
	}
	p, err := plan.Compute(pair(at("db", func(s *render.Service) { set(s.Passive[0], data, "data") })))
	if err != nil {
		t.Fatalf("Compute() failed: %v", err)
	}
	return p.Passive[0].Hash
}

func TestTwoTiersCostAnEdgePerService(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ n, m int }{{1, 1}, {3, 5}, {200, 300}} {
		t.Run(fmt.Sprintf("%d and %d services", size.n, size.m), func(t *testing.T) {
			t.Parallel()
			first, second := tier{name: "data"}, tier{name: "apps"}
			for i := range size.n {
				first.services = append(first.services, service(fmt.Sprintf("db-%d", i)))
			}
			for i := range size.m {
				second.services = append(second.services, service(fmt.Sprintf("app-%d", i)))
			}
			// N into the first join and M out of it; the second join closes with M and one.
			want := size.n + size.m + size.m + 1
			if got := edges(compute(t, input(byGroups, first, second))); got != want {
				t.Errorf("%d edges, want %d", got, want)
			}
		})
	}
}
