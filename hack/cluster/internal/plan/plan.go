// Package plan decides everything that must differ between two clusters on one
// machine: addresses, ports and the names of kernel objects. All of it follows
// from a name and a small index, so that a cluster can be taken down when
// nothing but its name is known.
package plan

import (
	"fmt"
	"net/netip"
	"regexp"
)

// Max is the number of clusters that fit side by side: /20 nets in 198.18.0.0/15,
// the range reserved for tests inside one machine or lab.
const Max = 32

// Ports on the node that are the same in every cluster.
const (
	APIPort      = 6443
	RegistryPort = 5000
	ProxyPort    = 8081
)

// Plan is the address plan of one cluster.
type Plan struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,9}$`)

// CheckName refuses a name that does not fit into the names of network links.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("cluster name %q: use 1 to 10 of a-z, 0-9 and -, starting with a letter", name)
	}
	return nil
}

// New returns the plan of the cluster with this name at this index.
func New(name string, index int) (Plan, error) {
	if err := CheckName(name); err != nil {
		return Plan{}, err
	}
	if index < 0 || index >= Max {
		return Plan{}, fmt.Errorf("cluster index %d: at most %d clusters fit on one machine", index, Max)
	}
	return Plan{Name: name, Index: index}, nil
}

// at is an address of this cluster's /20: third is the offset in the third octet.
func (p Plan) at(third, fourth int) netip.Addr {
	n := p.Index*16 + third
	return netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n % 256), byte(fourth)})
}

// PodCIDR holds the pods of all nodes, NodePodCIDR those of the one node.
func (p Plan) PodCIDR() netip.Prefix     { return netip.PrefixFrom(p.at(0, 0), 21) }
func (p Plan) NodePodCIDR() netip.Prefix { return netip.PrefixFrom(p.at(1, 0), 24) }

// ServiceCIDR holds the ClusterIPs; APIServiceIP is the first one, "kubernetes".
func (p Plan) ServiceCIDR() netip.Prefix { return netip.PrefixFrom(p.at(8, 0), 22) }
func (p Plan) APIServiceIP() netip.Addr  { return p.at(8, 1) }

// NodeCIDR joins the node, the machine and whatever else is plugged into the bridge.
func (p Plan) NodeCIDR() netip.Prefix { return netip.PrefixFrom(p.at(15, 0), 24) }

// NodeIP is the node's address, HostIP the machine's own on the same bridge.
func (p Plan) NodeIP() netip.Addr { return p.at(15, 1) }
func (p Plan) HostIP() netip.Addr { return p.at(15, 254) }

// MachineIP is the address of a machine to deploy to beside the node, by its number from 1 to 200.
func (p Plan) MachineIP(number int) netip.Addr { return p.at(15, 20+number) }

// NodeName is the name of the Node object.
func (p Plan) NodeName() string { return "node1" }

// Names of kernel objects; each follows from the cluster's name alone.
func (p Plan) Bridge() string     { return "br-" + p.Name }
func (p Plan) Link() string       { return "ve-" + p.Name }
func (p Plan) Netns() string      { return "spock-" + p.Name }
func (p Plan) NodeCgroup() string { return "spock-" + p.Name + "-node" }
func (p Plan) HostCgroup() string { return "spock-" + p.Name + "-host" }

// IngressPort is the ingress's port on the node and on 127.0.0.1 alike, so that
// one URL works inside and outside.
func (p Plan) IngressPort() int { return 8080 + 10*p.Index }

// PushPort is the registry's port on 127.0.0.1.
func (p Plan) PushPort() int { return RegistryPort + 10*p.Index }

// PushRegistry is the registry as the machine knows it, PodRegistry as pods do.
func (p Plan) PushRegistry() string { return fmt.Sprintf("localhost:%d", p.PushPort()) }
func (p Plan) PodRegistry() string  { return fmt.Sprintf("registry.localhost:%d", RegistryPort) }

// PodProxy is the Go module proxy as pods know it.
func (p Plan) PodProxy() string { return fmt.Sprintf("http://goproxy.localhost:%d", ProxyPort) }

// APIServer is the URL of the API server, reachable from the machine and the node.
func (p Plan) APIServer() string { return fmt.Sprintf("https://%s:%d", p.NodeIP(), APIPort) }
