package plan

import (
	"fmt"
	"slices"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/graph"
	"spock.dev/spock/pkg/render"
)

func hookNode(service, hook string) string { return service + "/" + hook }
func joinNode(group string) string         { return "group:" + group }

// wiring builds the graph of gating edges.
type wiring struct {
	graph.Graph
	tier    map[string]int    // of a group, by name
	group   map[string]string // of a service, by name
	entry   map[string]string // the first node of a service, by its name
	softly  map[[2]string]bool
	early   map[[2]string]bool   // edges into the first node of a service that only wait for a start
	remedy  map[[2]string]string // how to cut an edge, by its ends, when it can be cut
	product *v1alpha1.Product
}

func edges(product *v1alpha1.Product, rendered *render.Rendered) *wiring {
	w := &wiring{
		tier: map[string]int{}, group: map[string]string{}, entry: map[string]string{},
		softly: map[[2]string]bool{}, early: map[[2]string]bool{}, remedy: map[[2]string]string{}, product: product,
	}
	for i, g := range product.Spec.Groups {
		w.tier[g.Name] = i
	}
	for _, s := range rendered.Services {
		w.addService(s)
	}
	w.addGroups(rendered)
	for _, s := range rendered.Services {
		w.addNeeds(s)
	}
	for _, s := range rendered.Services {
		w.addReferences(s)
	}
	return w
}

// addService adds a service's own nodes: its hooks in order, then itself.
func (w *wiring) addService(s render.Service) {
	w.group[s.Name] = s.Group
	previous := ""
	for _, h := range s.Hooks {
		w.enter(s.Name, hookNode(s.Name, h.Name), &previous)
	}
	w.enter(s.Name, s.Name, &previous)
}

func (w *wiring) enter(service, node string, previous *string) {
	w.AddNode(node)
	if *previous == "" {
		w.entry[service] = node
	} else {
		w.AddEdge(*previous, node, fmt.Sprintf("%s runs before %s", *previous, node))
	}
	*previous = node
}

// addGroups adds the joins, and with order Groups the edges from each tier to the
// next. A join also follows the join before it, so that a tier without services in
// this environment is passed through.
func (w *wiring) addGroups(rendered *render.Rendered) {
	for i, g := range w.product.Spec.Groups {
		join := joinNode(g.Name)
		w.AddNode(join)
		for _, s := range rendered.Services {
			if s.Group == g.Name {
				w.AddEdge(s.Name, join, s.Name+" is in group "+g.Name)
			}
		}
		if i == 0 || w.product.Spec.Order == v1alpha1.OrderNeeds {
			continue
		}
		before := joinNode(w.product.Spec.Groups[i-1].Name)
		why := fmt.Sprintf("group %s comes after group %s", g.Name, w.product.Spec.Groups[i-1].Name)
		w.AddEdge(before, join, why)
		for _, s := range rendered.Services {
			if s.Group == g.Name {
				w.AddEdge(before, w.entry[s.Name], why)
			}
		}
	}
}

func (w *wiring) addNeeds(s render.Service) {
	for _, n := range s.Needs {
		from, what := n.Service, "service "+n.Service
		if n.Group != "" {
			from, what = joinNode(n.Group), "group "+n.Group
		}
		if n.Soft {
			w.softly[[2]string{from, s.Name}] = true
			continue
		}
		edge := [2]string{from, w.entry[s.Name]}
		known := slices.Contains(w.Before(edge[1]), from)
		w.early[edge] = n.Until == v1alpha1.UntilStarted && (!known || w.early[edge])
		w.cuttable(from, s.Name, fmt.Sprintf("set `soft: true` on the need of service %s for %s, or remove it", s.Name, what))
		w.AddEdge(from, w.entry[s.Name], s.Name+" needs "+what)
	}
}

// addReferences makes a reference to a service of the same or an earlier group an
// edge; one to a later group is an address only.
func (w *wiring) addReferences(s render.Service) {
	for _, r := range s.References {
		soft := w.softly[[2]string{r.Service, s.Name}] || w.softly[[2]string{joinNode(w.group[r.Service]), s.Name}]
		if soft || r.Service == s.Name || w.tier[w.group[r.Service]] > w.tier[s.Group] {
			continue
		}
		w.cuttable(r.Service, s.Name, fmt.Sprintf("add `{service: %s, soft: true}` to the needs of service %s: then it gets the address and does not wait", r.Service, s.Name))
		w.AddEdge(r.Service, w.entry[s.Name], fmt.Sprintf("%s of %s refers to %s", r.Field, s.Name, r.Service))
	}
}

// cuttable keeps how to cut the edge into a service, unless it is there for another
// reason already: the order of groups cannot be cut, and a need comes before a reference.
func (w *wiring) cuttable(from, service, remedy string) {
	to := w.entry[service]
	if !slices.Contains(w.Before(to), from) {
		w.remedy[[2]string{from, to}] = remedy
	}
}

// started are the nodes before one of which a start is enough.
func (w *wiring) started(node string, before []string) []string {
	var out []string
	for _, name := range before {
		if w.early[[2]string{name, node}] {
			out = append(out, name)
		}
	}
	return out
}

// refusal turns a cycle into a sentence with a remedy: how to cut the first of its edges
// that a person wrote. Groups and hooks alone make no cycle.
func (w *wiring) refusal(cycle *graph.CycleError) error {
	for _, e := range cycle.Edges {
		if remedy, ok := w.remedy[[2]string{e.From, e.To}]; ok {
			return fmt.Errorf("product.spec.groups: services wait for each other: %w; %s", cycle, remedy)
		}
	}
	return fmt.Errorf("product.spec.groups: services wait for each other: %w", cycle)
}
