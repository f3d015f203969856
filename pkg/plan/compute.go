package plan

import (
	"errors"
	"fmt"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/graph"
	"spock.dev/spock/pkg/render"
)

// Input is what a plan is made from.
type Input struct {
	// Product gives the order of the groups.
	Product *v1alpha1.Product
	// Rendered are its services as objects.
	Rendered *render.Rendered
	// Environment the objects will belong to.
	Environment *v1alpha1.Environment
}

// Compute makes the plan. It fails when what gates services makes a cycle, with a
// sentence that prints it and names the remedy.
func Compute(in Input) (*Plan, error) {
	g := edges(in.Product, in.Rendered)
	order, err := g.Order()
	var cycle *graph.CycleError
	if errors.As(err, &cycle) {
		return nil, g.refusal(cycle)
	}
	if err != nil {
		return nil, fmt.Errorf("order the nodes: %w", err)
	}
	p := &Plan{keys: map[identity]bool{}}
	nodes := map[string]Node{}
	for _, s := range in.Rendered.Services {
		if err := p.addService(nodes, in.Environment, s); err != nil {
			return nil, err
		}
	}
	groups := groupOf(in.Product)
	for _, name := range order {
		n, ok := nodes[name]
		if !ok {
			n = Node{Name: name, Kind: Join, Group: groups[name]}
		}
		n.After = g.Before(name)
		n.Started = g.started(name, n.After)
		p.Nodes = append(p.Nodes, n)
	}
	p.Digest = digest(p)
	return p, nil
}

func (p *Plan) addService(nodes map[string]Node, env *v1alpha1.Environment, s render.Service) error {
	st := stamp{env: env, service: s.Name}
	passive, err := st.objects("", s.Passive)
	if err != nil {
		return err
	}
	p.Passive = append(p.Passive, passive...)
	for _, h := range s.Hooks {
		n := Node{Name: hookNode(s.Name, h.Name), Kind: Hook, Group: s.Group, Service: s.Name, Image: s.Image}
		if n.Objects, err = st.objects(n.Name, one(h.Job)); err != nil {
			return err
		}
		nodes[n.Name] = n
		p.remember(n.Objects)
	}
	n := Node{Name: s.Name, Kind: Service, Group: s.Group, Service: s.Name, Image: s.Image, URL: s.URL, Ready: s.Ready}
	if n.Objects, err = st.objects(n.Name, s.Workloads); err != nil {
		return err
	}
	nodes[n.Name] = n
	p.remember(n.Objects)
	p.remember(passive)
	return nil
}

func (p *Plan) remember(objects []Object) {
	for _, o := range objects {
		p.keys[identityOf(o.Key)] = true
	}
}

func groupOf(product *v1alpha1.Product) map[string]string {
	groups := map[string]string{}
	for _, g := range product.Spec.Groups {
		groups[joinNode(g.Name)] = g.Name
	}
	return groups
}
