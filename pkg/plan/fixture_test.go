package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// tier is a group of a test's product.
type tier struct {
	name     string
	services []render.Service
	// absent services are left out by the environment.
	absent []string
}

func group(name string, services ...render.Service) tier {
	return tier{name: name, services: services}
}

// service is a rendered service with a ConfigMap and a Deployment.
func service(name string, changes ...func(*render.Service)) render.Service {
	s := render.Service{
		Name: name, Image: "registry/" + name + ":1",
		Passive:   []*unstructured.Unstructured{object("v1", "ConfigMap", name)},
		Workloads: []*unstructured.Unstructured{object("apps/v1", "Deployment", name)},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func object(version, kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version, "kind": kind, "metadata": map[string]any{"name": name},
	}}
}

func hook(name string) func(*render.Service) {
	return func(s *render.Service) {
		s.Hooks = append(s.Hooks, render.Hook{Name: name, Job: object("batch/v1", "Job", s.Name+"-"+name)})
	}
}

func needs(services ...string) func(*render.Service) {
	return func(s *render.Service) {
		for _, name := range services {
			s.Needs = append(s.Needs, v1alpha1.Need{Service: name})
		}
	}
}

func need(n v1alpha1.Need) func(*render.Service) {
	return func(s *render.Service) { s.Needs = append(s.Needs, n) }
}

func refersTo(name string) func(*render.Service) {
	return func(s *render.Service) {
		s.References = append(s.References, render.Reference{Service: name, Field: "file app.yaml"})
	}
}

func input(order v1alpha1.Order, tiers ...tier) plan.Input {
	in := plan.Input{
		Product:     &v1alpha1.Product{Spec: v1alpha1.ProductSpec{Order: order}},
		Rendered:    &render.Rendered{},
		Environment: &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop", UID: "uid-1"}},
	}
	for _, t := range tiers {
		g := v1alpha1.Group{Name: t.name}
		for _, s := range t.services {
			g.Services = append(g.Services, v1alpha1.ProductService{Name: s.Name})
			s.Group = t.name
			in.Rendered.Services = append(in.Rendered.Services, s)
		}
		for _, name := range t.absent {
			g.Services = append(g.Services, v1alpha1.ProductService{Name: name})
		}
		in.Product.Spec.Groups = append(in.Product.Spec.Groups, g)
	}
	return in
}

func compute(t testing.TB, in plan.Input) *plan.Plan {
	t.Helper()
	p, err := plan.Compute(in)
	if err != nil {
		t.Fatalf("Compute() failed: %v", err)
	}
	return p
}

// picture prints a plan: a line for the passive objects, then a line for each node with
// what it comes after and what it writes.
func picture(p *plan.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "passive: %s\n", keys(p.Passive))
	for _, n := range p.Nodes {
		line := strings.ToLower(string(n.Kind)) + " " + n.Name
		if len(n.After) > 0 {
			line += " after " + strings.Join(marked(n), ", ")
		}
		if len(n.Objects) > 0 {
			line += ": " + keys(n.Objects)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// marked are the nodes that a node comes after, with a mark where a start is enough.
func marked(n plan.Node) []string {
	var out []string
	for _, name := range n.After {
		if slices.Contains(n.Started, name) {
			name += " (started)"
		}
		out = append(out, name)
	}
	return out
}

func keys(objects []plan.Object) string {
	names := make([]string, 0, len(objects))
	for _, o := range objects {
		names = append(names, o.Key.String())
	}
	return strings.Join(names, " ")
}

// edges counts what the nodes wait for.
func edges(p *plan.Plan) int {
	n := 0
	for _, node := range p.Nodes {
		n += len(node.After)
	}
	return n
}

// text takes the indentation of a test's literal away.
func text(literal string) string {
	lines := strings.Split(strings.Trim(literal, "\n\t"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}
