package plan

import "slices"

// Restore returns the plan with some services as another plan has them: their objects,
// hooks, images and rules. When they may be written stays as it is here. A service that
// cannot be restored is left as it is: the other plan does not have it, has it just so, or
// an object of it belongs to another service by now. restored are the others.
func (p *Plan) Restore(from *Plan, services []string) (made *Plan, restored []string) {
	for _, s := range services {
		if p.differs(from, s) && !p.taken(from, s) {
			restored = append(restored, s)
		}
	}
	made = &Plan{keys: map[identity]bool{}}
	for _, o := range p.Passive {
		if !slices.Contains(restored, o.Service) {
			made.Passive = append(made.Passive, o)
		}
	}
	for _, o := range from.Passive {
		if slices.Contains(restored, o.Service) {
			made.Passive = append(made.Passive, o)
		}
	}
	done := map[string]bool{}
	for _, n := range p.Nodes {
		switch {
		case !slices.Contains(restored, n.Service):
			made.Nodes = append(made.Nodes, n)
		case !done[n.Service]: // the first node of a service is the one with its edges
			done[n.Service] = true
			made.Nodes = append(made.Nodes, n.replaced(from)...)
		}
	}
	made.remember(made.Passive)
	for _, n := range made.Nodes {
		made.remember(n.Objects)
	}
	made.Digest = digest(made)
	return made, restored
}

// replaced are the nodes of the service of n in another plan, the first one of them after
// what n is after.
func (n Node) replaced(from *Plan) []Node {
	var nodes []Node
	for _, old := range from.Nodes {
		if old.Service != n.Service {
			continue
		}
		own := func(name string) bool {
			return !slices.ContainsFunc(nodes, func(before Node) bool { return before.Name == name })
		}
		old.Group = n.Group
		old.After, old.Started = slices.DeleteFunc(slices.Clone(old.After), own), nil
		if len(nodes) == 0 {
			old.After, old.Started = n.After, n.Started
		}
		nodes = append(nodes, old)
	}
	return nodes
}

// differs says whether the plans write different objects for a service that both have.
func (p *Plan) differs(from *Plan, service string) bool {
	here, there := p.hashes(service), from.hashes(service)
	return len(here) > 0 && len(there) > 0 && !slices.Equal(here, there)
}

// hashes are the sorted hashes of all objects of a service.
func (p *Plan) hashes(service string) []string {
	var all []string
	for _, o := range p.of(service) {
		all = append(all, o.Hash)
	}
	slices.Sort(all)
	return all
}

func (p *Plan) of(service string) []Object {
	var all []Object
	add := func(objects []Object) {
		for _, o := range objects {
			if o.Service == service {
				all = append(all, o)
			}
		}
	}
	add(p.Passive)
	for _, n := range p.Nodes {
		add(n.Objects)
	}
	return all
}

// taken says whether an object that a service has in another plan is another service's
// here.
func (p *Plan) taken(from *Plan, service string) bool {
	others := map[identity]bool{}
	for key := range p.keys {
		others[key] = true
	}
	for _, o := range p.of(service) {
		delete(others, identityOf(o.Key))
	}
	return slices.ContainsFunc(from.of(service), func(o Object) bool { return others[identityOf(o.Key)] })
}
