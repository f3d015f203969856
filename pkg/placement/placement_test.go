package placement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/placement"
)

func n(v int64) *int64 { return &v }

func names(hosts []placement.Host) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, h.Name)
	}
	return out
}

func TestServicesFindTheirPlaces(t *testing.T) {
	t.Parallel()
	db := map[string]string{"role": "db"}
	tests := map[string]struct {
		hosts    []placement.Host
		requests []placement.Request
		want     map[string][]string
		problem  string
	}{
		"by labels": {
			hosts:    []placement.Host{{Name: "a"}, {Name: "b", Labels: db}},
			requests: []placement.Request{{Service: "pg", Instances: 1, Selector: db}},
			want:     map[string][]string{"pg": {"b"}},
		},
		"instances on different machines": {
			hosts:    []placement.Host{{Name: "a"}, {Name: "b"}, {Name: "c"}},
			requests: []placement.Request{{Service: "web", Instances: 3}},
			want:     map[string][]string{"web": {"a", "b", "c"}},
		},
		"where there is most room": {
			hosts:    []placement.Host{{Name: "a", Memory: n(2 << 30)}, {Name: "b", Memory: n(4 << 30)}},
			requests: []placement.Request{{Service: "small", Instances: 1, Memory: 1 << 30}, {Service: "large", Instances: 1, Memory: 3 << 30}},
			want:     map[string][]string{"large": {"b"}, "small": {"a"}},
		},
		"where it is already, however full": {
			hosts:    []placement.Host{{Name: "a", Memory: n(1 << 30)}, {Name: "b", Memory: n(9 << 30)}},
			requests: []placement.Request{{Service: "web", Instances: 1, Memory: 1 << 30, Now: []string{"a"}}},
			want:     map[string][]string{"web": {"a"}},
		},
		"away from a drained one": {
			hosts:    []placement.Host{{Name: "a", Drained: true}, {Name: "b"}},
			requests: []placement.Request{{Service: "web", Instances: 1, Now: []string{"a"}}},
			want:     map[string][]string{"web": {"b"}},
		},
		"not away from its data": {
			hosts:    []placement.Host{{Name: "a", Drained: true}, {Name: "b"}},
			requests: []placement.Request{{Service: "pg", Instances: 1, Now: []string{"a"}, Bound: true}},
			problem:  `service "pg": it keeps data on host "a", which is drained; save the data and take the service down, or end the draining`,
		},
		"never two on one port": {
			hosts:    []placement.Host{{Name: "a", Ports: map[int32]string{80: "team-b/shop"}}, {Name: "b"}},
			requests: []placement.Request{{Service: "web", Instances: 1, Ports: []int32{80}}, {Service: "x", Instances: 1, Ports: []int32{80}}},
			want:     map[string][]string{"web": {"b"}},
			problem:  `service "x": 0 of 1 instances have a place: host "a" has port 80 taken by team-b/shop, "b" has port 80 taken by web; add a host, make room, or ask for less`,
		},
		"what does not fit says what is missing where": {
			hosts:    []placement.Host{{Name: "a", Memory: n(1 << 30)}, {Name: "b", CPU: n(500)}, {Name: "c", Slots: n(0)}, {Name: "d", Labels: map[string]string{"x": "y"}, Drained: true}},
			requests: []placement.Request{{Service: "big", Instances: 2, Memory: 2 << 30, CPU: 1000}},
			problem:  `service "big": 0 of 2 instances have a place: host "a" has 1024 MiB of memory free, and 2048 are wanted, "b" has 500m CPU free, and 1000m are wanted, "c" has no slot free, "d" is drained; add a host, make room, or ask for less`,
		},
		"no machine at all": {
			requests: []placement.Request{{Service: "web", Instances: 1}},
			problem:  `service "web": there is no host in the namespace of the environment; add one with: spock host add`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places, problems := placement.Place(tc.hosts, tc.requests)
			got := map[string][]string{}
			for service, hosts := range places {
				got[service] = names(hosts)
			}
			if tc.want == nil {
				tc.want = map[string][]string{}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			var said []string
			for _, p := range problems {
				said = append(said, p.Error())
			}
			if diff := cmp.Diff(tc.problem, strings.Join(said, "\n")); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is asked: nothing is placed where there is no room, no port is given twice,
// instances are apart, all have a place or a reason, and order does not matter.
func TestPlacesAreRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := func(most int64) *int64 {
			return rapid.Ptr(rapid.Int64Range(0, most), true).Draw(t, "free")
		}
		var hosts []placement.Host
		for i := range rapid.IntRange(0, 5).Draw(t, "hosts") {
			hosts = append(hosts, placement.Host{
				Name: fmt.Sprintf("h%d", i), Labels: map[string]string{"zone": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone")},
				Drained: rapid.Bool().Draw(t, "drained"), CPU: number(4000), Memory: number(8 << 30), Slots: number(4),
			})
		}
		var requests []placement.Request
		for i := range rapid.IntRange(0, 8).Draw(t, "services") {
			r := placement.Request{
				Service: fmt.Sprintf("s%d", i), Instances: rapid.IntRange(0, 3).Draw(t, "instances"),
				CPU: rapid.Int64Range(0, 2000).Draw(t, "cpu"), Memory: rapid.Int64Range(0, 4<<30).Draw(t, "memory"),
				Ports: rapid.SliceOfNDistinct(rapid.Int32Range(80, 82), 0, 2, rapid.ID[int32]).Draw(t, "ports"),
			}
			if rapid.Bool().Draw(t, "picky") {
				r.Selector = map[string]string{"zone": "a"}
			}
			if len(hosts) > 0 && rapid.Bool().Draw(t, "there") {
				r.Now = []string{rapid.SampledFrom(hosts).Draw(t, "now").Name}
			}
			requests = append(requests, r)
		}
		places, problems := placement.Place(hosts, requests)
		check(t, hosts, requests, places, len(problems))
		slices.Reverse(hosts)
		slices.Reverse(requests)
		again, _ := placement.Place(hosts, requests)
		for service := range places {
			if diff := cmp.Diff(names(places[service]), names(again[service])); diff != "" {
				t.Fatalf("in another order, %s (-first +second):\n%s", service, diff)
			}
		}
	})
}

func check(t *rapid.T, hosts []placement.Host, requests []placement.Request, places map[string][]placement.Host, problems int) {
	type use struct {
		cpu, memory, slots int64
		ports              map[int32]bool
	}
	used := map[string]*use{}
	for _, h := range hosts {
		used[h.Name] = &use{ports: map[int32]bool{}}
	}
	for _, r := range requests {
		got, ok := places[r.Service]
		if !ok {
			problems--
			continue
		}
		if len(got) != r.Instances || len(slices.Compact(slices.Sorted(slices.Values(names(got))))) != r.Instances {
			t.Fatalf("%d instances of %s are on %v", r.Instances, r.Service, names(got))
		}
		for _, h := range got {
			u := used[h.Name]
			u.cpu, u.memory, u.slots = u.cpu+r.CPU, u.memory+r.Memory, u.slots+1
			if h.Drained || r.Selector["zone"] == "a" && h.Labels["zone"] != "a" {
				t.Fatalf("%s is on %s, drained %t, in zone %s", r.Service, h.Name, h.Drained, h.Labels["zone"])
			}
			for _, p := range r.Ports {
				if u.ports[p] {
					t.Fatalf("port %d of %s is given twice", p, h.Name)
				}
				u.ports[p] = true
			}
		}
	}
	for _, h := range hosts {
		u := used[h.Name]
		if h.CPU != nil && u.cpu > *h.CPU && u.cpu > 0 || h.Memory != nil && u.memory > *h.Memory && u.memory > 0 || h.Slots != nil && u.slots > *h.Slots {
			t.Fatalf("%s is too full: %+v", h.Name, *u)
		}
	}
	if problems != 0 {
		t.Fatalf("%d services have neither a place nor a reason", -problems)
	}
}
