package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

func TestRanks(t *testing.T) {
	t.Parallel()
	usual := map[string]time.Duration{"db": 5 * time.Second, "cache": time.Second, "api": 20 * time.Second, "web": 3 * time.Second}
	start := v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}
	tests := map[string]struct {
		in   plan.Input
		want map[string]time.Duration
	}{
		"a chain adds up, hooks cost nothing of their own": {
			in: input(byNeeds, group("all", service("db"), service("cache"), service("api", needs("db"), hook("migrate")), service("web", needs("api")))),
			want: map[string]time.Duration{
				"db": 28 * time.Second, "api/migrate": 23 * time.Second, "api": 23 * time.Second, "web": 3 * time.Second, "cache": time.Second, "group:all": 0,
			},
		},
		"a start does not wait for the end": {
			in:   input(byNeeds, group("all", service("db"), service("api", need(start)))),
			want: map[string]time.Duration{"db": 20 * time.Second, "api": 20 * time.Second, "group:all": 0},
		},
		"groups add the slowest of each": {
			in: input(byGroups, group("data", service("db"), service("cache")), group("apps", service("api"), service("web"))),
			want: map[string]time.Duration{
				"db": 25 * time.Second, "cache": 21 * time.Second, "group:data": 20 * time.Second, "api": 20 * time.Second, "web": 3 * time.Second, "group:apps": 0,
			},
		},
		"what is not known takes ten seconds": {
			in:   input(byNeeds, group("all", service("new"))),
			want: map[string]time.Duration{"new": 10 * time.Second, "group:all": 0},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, compute(t, tc.in).Ranks(usual)); diff != "" {
				t.Errorf("Ranks() (-want +got):\n%s", diff)
			}
		})
	}
}
