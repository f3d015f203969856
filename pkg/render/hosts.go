package render

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
)

// Places are the machines of an environment's namespace with what other environments have
// left of them, and where its own services are. It orders the list by name.
func Places(hosts []*v1alpha1.Host, env *v1alpha1.Environment) ([]placement.Host, map[string][]string) {
	slices.SortFunc(hosts, func(a, b *v1alpha1.Host) int { return strings.Compare(a.Name, b.Name) })
	own, on := env.Namespace+"/"+env.Name, map[string][]string{}
	var places []placement.Host
	for _, h := range hosts {
		places = append(places, left(h, own, on))
	}
	return places, on
}

// left is what others have left of a machine; what the environment itself has there is
// noted in on.
func left(h *v1alpha1.Host, own string, on map[string][]string) placement.Host {
	c := h.Spec.Capacity
	out := placement.Host{Name: h.Name, Address: h.Spec.Address, Labels: h.Labels, Drained: h.Spec.Drain, Packages: h.Spec.AllowPackages, Ports: map[int32]string{}}
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

func reduce(from *int64, q *resource.Quantity, value func(*resource.Quantity) int64) {
	if from != nil && q != nil {
		*from -= value(q)
	}
}
