package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNew(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name  string
		index int
		fails bool
	}{
		"the default name at the first index":  {name: "spock", index: 0},
		"the last index":                       {name: "a", index: Max - 1},
		"a name of ten letters fits":           {name: "abcdefghij", index: 0},
		"a longer name does not fit in a link": {name: "abcdefghijk", index: 0, fails: true},
		"no name":                              {name: "", index: 0, fails: true},
		"a path is not a name":                 {name: "../x", index: 0, fails: true},
		"an index outside of the range":        {name: "a", index: Max, fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(tc.name, tc.index); (err != nil) != tc.fails {
				t.Errorf("New(%q, %d) = %v, want failure: %v", tc.name, tc.index, err, tc.fails)
			}
		})
	}
}

func TestAddressesOfTheFirstCluster(t *testing.T) {
	t.Parallel()
	p := Plan{Name: "spock"}
	got := map[string]string{
		"pods": p.PodCIDR().String(), "node's pods": p.NodePodCIDR().String(), "services": p.ServiceCIDR().String(),
		"api service": p.APIServiceIP().String(), "nodes": p.NodeCIDR().String(), "node": p.NodeIP().String(),
		"host": p.HostIP().String(), "push": p.PushRegistry(), "api": p.APIServer(),
	}
	want := map[string]string{
		"pods": "198.18.0.0/21", "node's pods": "198.18.1.0/24", "services": "198.18.8.0/22",
		"api service": "198.18.8.1", "nodes": "198.18.15.0/24", "node": "198.18.15.1",
		"host": "198.18.15.254", "push": "localhost:5000", "api": "https://198.18.15.1:6443",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestClustersShareNothing(t *testing.T) {
	t.Parallel()
	lab := netip.MustParsePrefix("198.18.0.0/15")
	var nets []netip.Prefix
	ports := map[int]bool{}
	for i := range Max {
		p := Plan{Name: "a", Index: i}
		for _, n := range []netip.Prefix{p.PodCIDR(), p.ServiceCIDR(), p.NodeCIDR()} {
			if n != n.Masked() || !lab.Overlaps(n) {
				t.Errorf("index %d: %s is not a proper net inside %s", i, n, lab)
			}
			for _, other := range nets {
				if n.Overlaps(other) {
					t.Errorf("index %d: %s overlaps %s", i, n, other)
				}
			}
			nets = append(nets, n)
		}
		for _, port := range []int{p.IngressPort(), p.PushPort()} {
			if ports[port] {
				t.Errorf("index %d: port %d is taken by another cluster", i, port)
			}
			ports[port] = true
		}
	}
}

func TestTheNodesFixedPortsAreNotTheIngressPort(t *testing.T) {
	t.Parallel()
	for i := range Max {
		p := Plan{Name: "a", Index: i}
		for _, fixed := range []int{APIPort, RegistryPort, ProxyPort, 10250} {
			if p.IngressPort() == fixed {
				t.Errorf("index %d: ingress port %d is used on the node already", i, fixed)
			}
		}
	}
}
