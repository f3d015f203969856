package work_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/work"
)

var second = work.Delays{Median: time.Second, Seed: 1}

func TestTheSameSeedGivesTheSameWork(t *testing.T) {
	t.Parallel()
	a, b := work.Tiers("a", 100, 3, true, second), work.Tiers("a", 100, 3, true, second)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two works (-first +second):\n%s", diff)
	}
}

func TestAnImageTellsTheBehaviour(t *testing.T) {
	t.Parallel()
	w := work.Tiers("a", 3, 3, false, second)
	ready, fault, err := work.Behaviour(w.Services[1].Image())
	if err != nil || fault != "" || ready != w.Services[1].Ready {
		t.Errorf("Behaviour() = %v, %q, %v, want %v", ready, fault, err, w.Services[1].Ready)
	}
	for _, f := range work.Faults() {
		_, got, err := work.Behaviour(w.Failing(f).Services[0].Image())
		if err != nil || got != f {
			t.Errorf("Behaviour() = %q, %v, want %q", got, err, f)
		}
	}
	if _, _, err := work.Behaviour("postgres:15"); err == nil {
		t.Error("an image of somebody else tells a behaviour")
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	services := []work.Service{
		{Name: "db", Ready: time.Second},
		{Name: "slow", Ready: 9 * time.Second},
		{Name: "api", Tier: 1, Ready: 2 * time.Second, Needs: []string{"db"}},
		{Name: "web", Tier: 2, Ready: 3 * time.Second, Needs: []string{"api"}},
	}
	takes := func(name string) time.Duration {
		for _, s := range services {
			if s.Name == name {
				return s.Ready
			}
		}
		return 0
	}
	for name, tc := range map[string]struct {
		work work.Work
		want time.Duration
	}{
		"groups wait for the slowest":       {work.Work{Services: services}, 14 * time.Second},
		"fine needs take the longest path":  {work.Work{Services: services, Fine: true}, 9 * time.Second},
		"a chain is the sum of what is due": {work.Work{Services: services[2:], Fine: true}, 5 * time.Second},
	} {
		if got := tc.work.Limit(takes); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestGatesOfGroupsAreAllTiersBefore(t *testing.T) {
	t.Parallel()
	w := work.Work{Services: []work.Service{{Name: "a"}, {Name: "b", Tier: 1}, {Name: "c", Tier: 2, Needs: []string{"b"}}}}
	want := map[string][]string{"a": nil, "b": {"a"}, "c": {"a", "b", "b"}}
	if diff := cmp.Diff(want, w.Gates()); diff != "" {
		t.Errorf("gates (-want +got):\n%s", diff)
	}
}

func TestLevelsAreTheBarriersThatNeedsLeave(t *testing.T) {
	t.Parallel()
	services := []work.Service{{Name: "a"}, {Name: "b", Needs: []string{"a"}}, {Name: "c", Tier: 1}, {Name: "d", Tier: 1, Needs: []string{"b"}}}
	for fine, want := range map[bool][][]string{true: {{"a", "c"}, {"b"}, {"d"}}, false: {{"a"}, {"b", "c"}, {"d"}}} {
		var got [][]string
		for _, level := range (work.Work{Services: services, Fine: fine}).Levels() {
			var names []string
			for _, s := range level {
				names = append(names, s.Name)
			}
			got = append(got, names)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fine %t: levels (-want +got):\n%s", fine, diff)
		}
	}
}

func TestServicesOnMachinesAreInAllTiers(t *testing.T) {
	t.Parallel()
	w := work.Tiers("a", 100, 3, true, second)
	for every, want := range map[int]map[int]int{1: {0: 34, 1: 33, 2: 33}, 5: {0: 7, 1: 7, 2: 6}} {
		got := map[int]int{}
		for _, s := range w.OnHosts(every).Services {
			if s.OnHost {
				got[s.Tier]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("one of %d: by tier (-want +got):\n%s", every, diff)
		}
	}
	if slices.ContainsFunc(w.Services, func(s work.Service) bool { return s.OnHost }) {
		t.Error("the work itself was changed")
	}
}
