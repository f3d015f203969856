// Package placement says which service goes to which machines: those with the labels
// that it asks for and with room for it, its instances on different ones, where it is
// already before anywhere else. It is a pure function; the same machines and services
// give the same places, in whatever order they are given.
package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Host is a machine and what is left of it.
type Host struct {
	// Name and Address of it.
	Name, Address string
	// Labels of it.
	Labels map[string]string
	// Drained says that nothing new goes there, and what is there goes away.
	Drained bool
	// Packages says that services may install some there.
	Packages bool
	// CPU (in thousandths), Memory (in bytes) and Slots that are free; nil is not counted.
	CPU, Memory, Slots *int64
	// Ports that are taken, and by whom.
	Ports map[int32]string
}

// Request is a service to place.
type Request struct {
	// Service by name.
	Service string
	// Instances wanted.
	Instances int
	// Selector are labels that a machine must have.
	Selector map[string]string
	// CPU and Memory that each instance may use.
	CPU, Memory int64
	// Ports each instance listens on.
	Ports []int32
	// Now are the machines that it is on, and Bound says that it keeps data there.
	Now   []string
	Bound bool
	// Packages says that it installs some.
	Packages bool
}

// Error says why a service has no place.
type Error struct {
	Service string
	// Problem in a sentence, and what to do.
	Problem, Remedy string
}

// Error is the sentence.
func (e *Error) Error() string {
	return fmt.Sprintf("service %q: %s; %s", e.Service, e.Problem, e.Remedy)
}

// Place returns the machines of each service, one per instance. Services are placed one
// after the other: first those that stay where they are, then the large ones. It returns
// an error for every service without a place.
func Place(hosts []Host, requests []Request) (map[string][]Host, []*Error) {
	s := &state{free: map[string]*Host{}}
	for _, h := range hosts {
		copied := h
		copied.CPU, copied.Memory, copied.Slots, copied.Ports = clone(h.CPU), clone(h.Memory), clone(h.Slots), maps.Clone(h.Ports)
		if copied.Ports == nil {
			copied.Ports = map[int32]string{}
		}
		s.free[h.Name] = &copied
		s.names = append(s.names, h.Name)
	}
	slices.Sort(s.names)
	ordered := slices.Clone(requests)
	slices.SortFunc(ordered, func(a, b Request) int {
		return cmp.Or(-cmp.Compare(len(a.Now), len(b.Now)), -cmp.Compare(a.Memory, b.Memory), -cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Service, b.Service))
	})
	places, problems := map[string][]Host{}, []*Error(nil)
	for _, r := range ordered {
		placed, problem := s.place(r)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		places[r.Service] = placed
	}
	slices.SortFunc(problems, func(a, b *Error) int { return strings.Compare(a.Service, b.Service) })
	return places, problems
}

func clone(n *int64) *int64 {
	if n == nil {
		return nil
	}
	copied := *n
	return &copied
}

// state is what is left while services are placed.
type state struct {
	names []string
	free  map[string]*Host
}

func (s *state) place(r Request) ([]Host, *Error) {
	if problem := s.bound(r); problem != nil {
		return nil, problem
	}
	var chosen []*Host
	for range r.Instances {
		best := s.best(r, chosen)
		if best == nil {
			return nil, s.refusal(r, len(chosen), chosen)
		}
		chosen = append(chosen, best)
	}
	var out []Host
	for _, h := range chosen {
		take(h.CPU, r.CPU)
		take(h.Memory, r.Memory)
		take(h.Slots, 1)
		for _, p := range r.Ports {
			h.Ports[p] = r.Service
		}
		out = append(out, *h)
	}
	return out, nil
}

func take(n *int64, by int64) {
	if n != nil {
		*n -= by
	}
}

// bound refuses to move a service away from its data.
func (s *state) bound(r Request) *Error {
	if !r.Bound {
		return nil
	}
	for _, name := range r.Now {
		if h := s.free[name]; h != nil && h.Drained {
			return &Error{r.Service, fmt.Sprintf("it keeps data on host %q, which is drained", name),
				"save the data and take the service down, or end the draining"}
		}
	}
	return nil
}

// best is the machine for one more instance: one that it is on, else the emptiest.
func (s *state) best(r Request, chosen []*Host) *Host {
	var best *Host
	for _, name := range s.names {
		h := s.free[name]
		if slices.Contains(chosen, h) || unfit(h, r) != "" {
			continue
		}
		if best == nil || better(h, best, r) {
			best = h
		}
	}
	return best
}

func better(a, b *Host, r Request) bool {
	here := func(h *Host) int {
		if slices.Contains(r.Now, h.Name) {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(here(a), here(b)), room(a.Memory, b.Memory), room(a.CPU, b.CPU), room(a.Slots, b.Slots), cmp.Compare(len(b.Ports), len(a.Ports))) > 0
}

// room compares what is free; what is not counted is most.
func room(a, b *int64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

// unfit says why a machine is none for a service; empty when it is.
func unfit(h *Host, r Request) string {
	for _, key := range slices.Sorted(maps.Keys(r.Selector)) {
		if h.Labels[key] != r.Selector[key] {
			return fmt.Sprintf("lacks the label %s=%s", key, r.Selector[key])
		}
	}
	switch {
	case h.Drained:
		return "is drained"
	case r.Packages && !h.Packages:
		return "lets no service install packages (spec.allowPackages)"
	case h.Slots != nil && *h.Slots < 1:
		return "has no slot free"
	case h.Memory != nil && *h.Memory < r.Memory:
		return fmt.Sprintf("has %d MiB of memory free, and %d are wanted", *h.Memory>>20, r.Memory>>20)
	case h.CPU != nil && *h.CPU < r.CPU:
		return fmt.Sprintf("has %dm CPU free, and %dm are wanted", *h.CPU, r.CPU)
	}
	for _, p := range r.Ports {
		if by, taken := h.Ports[p]; taken {
			return fmt.Sprintf("has port %d taken by %s", p, by)
		}
	}
	return ""
}

// refusal says of every machine why it is none.
func (s *state) refusal(r Request, found int, chosen []*Host) *Error {
	const told = 5
	var reasons []string
	for _, name := range s.names {
		h := s.free[name]
		switch why := unfit(h, r); {
		case slices.Contains(chosen, h):
			reasons = append(reasons, fmt.Sprintf("%q has an instance of it", name))
		default:
			reasons = append(reasons, fmt.Sprintf("%q %s", name, why))
		}
	}
	more := len(reasons) - told
	if more > 0 {
		reasons = append(reasons[:told], fmt.Sprintf("and %d more", more))
	}
	if len(reasons) == 0 {
		return &Error{r.Service, "there is no host in the namespace of the environment", "add one with: spock host add"}
	}
	return &Error{r.Service, fmt.Sprintf("%d of %d instances have a place: host %s", found, r.Instances, strings.Join(reasons, ", ")),
		"add a host, make room, or ask for less"}
}
