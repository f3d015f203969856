package render

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
)

// Taken is what environments have taken of machines, by the machine's name.
type Taken map[string][]v1alpha1.HostAllocation

// Places are machines with what other environments have left of them, and where the
// environment's own services are: what the machines tell, and what is planned beyond that.
// It orders the list by name.
func Places(hosts []*v1alpha1.Host, env *v1alpha1.Environment, planned Taken) ([]placement.Host, map[string][]string) {
	slices.SortFunc(hosts, func(a, b *v1alpha1.Host) int { return strings.Compare(a.Name, b.Name) })
	own, on := env.Namespace+"/"+env.Name, map[string][]string{}
	var places []placement.Host
	for _, h := range hosts {
		places = append(places, left(h, own, on, planned[h.Name]))
	}
	return places, on
}

// left is what others have left of a machine; what the environment itself has there is
// noted in on.
func left(h *v1alpha1.Host, own string, on map[string][]string, planned []v1alpha1.HostAllocation) placement.Host {
	c := h.Spec.Capacity
	out := placement.Host{Name: h.Name, Address: h.Spec.Address, Labels: h.Labels, Drained: h.Spec.Drain || !h.DeletionTimestamp.IsZero(), Packages: h.Spec.AllowPackages, Ports: map[int32]string{}}
	if c.CPU != nil {
		n := c.CPU.MilliValue()
		out.CPU = &n
	}
	if c.Memory != nil {
		n := c.Memory.Value()
		out.Memory = &n
	}
	if c.Slots != nil {
		n := int64(*c.Slots)
		out.Slots = &n
	}
	for _, a := range h.Status.Allocations {
		if a.Environment == own {
			on[a.Service] = append(on[a.Service], h.Name)
		}
	}
	for _, a := range together(h.Status.Allocations, planned) {
		if a.Environment == own {
			continue
		}
		reduce(out.CPU, a.CPU, (*resource.Quantity).MilliValue)
		reduce(out.Memory, a.Memory, (*resource.Quantity).Value)
		if out.Slots != nil {
			*out.Slots--
		}
		for _, p := range a.Ports {
			out.Ports[p] = a.Service + " of " + a.Environment
		}
	}
	return out
}

// together is what is there and what is planned; what is both is as it is there.
func together(there, planned []v1alpha1.HostAllocation) []v1alpha1.HostAllocation {
	all := slices.Clone(there)
	for _, p := range planned {
		if !slices.ContainsFunc(there, func(a v1alpha1.HostAllocation) bool { return a.Environment == p.Environment && a.Service == p.Service }) {
			all = append(all, p)
		}
	}
	return all
}

func reduce(from *int64, q *resource.Quantity, value func(*resource.Quantity) int64) {
	if from != nil && q != nil {
		*from -= value(q)
	}
}
