package engine_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// product is what a plan of a test is made from.
type product struct {
	order    v1alpha1.Order
	groups   []string
	services []render.Service
}

// service is a rendered service of a group, as it is at a revision.
func service(group, name string, revision int, changes ...func(*render.Service)) render.Service {
	s := render.Service{
		Name: name, Group: group, Image: fmt.Sprintf("registry/%s:%d", name, revision),
		Passive:   []*unstructured.Unstructured{object("v1", "ConfigMap", name, revision)},
		Workloads: []*unstructured.Unstructured{object("apps/v1", "Deployment", name, revision)},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// hook adds a job to a service. A job cannot change, so its name tells its revision.
func hook(name string, revision int) func(*render.Service) {
	return func(s *render.Service) {
		job := object("batch/v1", "Job", fmt.Sprintf("%s-%s-%d", s.Name, name, revision), revision)
		s.Hooks = append(s.Hooks, render.Hook{Name: name, Job: job})
	}
}

func needs(names ...string) func(*render.Service) {
	return func(s *render.Service) {
		for _, name := range names {
			s.Needs = append(s.Needs, v1alpha1.Need{Service: name})
		}
	}
}

func object(version, kind, name string, revision int) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version, "kind": kind, "metadata": map[string]any{"name": name},
		"spec": map[string]any{"revision": int64(revision)},
	}}
}

func (p product) plan(t interface{ Fatalf(string, ...any) }) *plan.Plan {
	spec := v1alpha1.ProductSpec{Order: p.order}
	for _, name := range p.groups {
		spec.Groups = append(spec.Groups, v1alpha1.Group{Name: name})
	}
	made, err := plan.Compute(plan.Input{
		Product:     &v1alpha1.Product{Spec: spec},
		Rendered:    &render.Rendered{Services: p.services},
		Environment: &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop", UID: scope.UID}},
	})
	if err != nil {
		t.Fatalf("Compute() failed: %v", err)
	}
	return made
}

func planOf(t *testing.T, groups []string, services ...render.Service) *plan.Plan {
	t.Helper()
	return product{order: v1alpha1.OrderGroups, groups: groups, services: services}.plan(t)
}

// drawProduct makes a product of a few groups. Services need services that were drawn
// before them, so that there is no cycle; references may go anywhere that gates or not.
func drawProduct(t *rapid.T) product {
	p := product{order: rapid.SampledFrom([]v1alpha1.Order{v1alpha1.OrderGroups, v1alpha1.OrderNeeds}).Draw(t, "order")}
	for g := range rapid.IntRange(1, 4).Draw(t, "groups") {
		group := fmt.Sprintf("tier-%d", g)
		p.groups = append(p.groups, group)
		for range rapid.IntRange(0, 4).Draw(t, group) {
			name := fmt.Sprintf("s%d", len(p.services))
			p.services = append(p.services, drawService(t, group, name, 1, len(p.services)))
		}
	}
	return p
}

func drawService(t *rapid.T, group, name string, revision, earlier int) render.Service {
	s := service(group, name, revision)
	for h := range rapid.IntRange(0, 2).Draw(t, name+" hooks") {
		hook(fmt.Sprintf("h%d", h), revision)(&s)
	}
	if rapid.Bool().Draw(t, name+" has a topic") {
		s.Workloads = append(s.Workloads, object("example.com/v1", "Topic", name, revision))
	}
	if rapid.Bool().Draw(t, name+" has a volume") {
		s.Passive = append(s.Passive, object("v1", "PersistentVolumeClaim", name, 1))
	}
	if earlier == 0 {
		return s
	}
	others := rapid.SliceOfNDistinct(rapid.IntRange(0, earlier-1), 0, 2, rapid.ID[int])
	for _, i := range others.Draw(t, name+" needs") {
		until := rapid.SampledFrom([]v1alpha1.Until{"", v1alpha1.UntilReady, v1alpha1.UntilStarted}).Draw(t, name+" waits until")
		s.Needs = append(s.Needs, v1alpha1.Need{Service: fmt.Sprintf("s%d", i), Until: until})
	}
	for _, i := range others.Draw(t, name+" refers to") {
		s.References = append(s.References, render.Reference{Service: fmt.Sprintf("s%d", i), Field: "file app.yaml"})
	}
	return s
}

// drawRevision changes what a product is, without changing its services' names: some
// services are written anew, some are left out, all may wait for others.
func drawRevision(t *rapid.T, before product) product {
	after := product{order: rapid.SampledFrom([]v1alpha1.Order{v1alpha1.OrderGroups, v1alpha1.OrderNeeds}).Draw(t, "new order"), groups: before.groups}
	gone := map[string]bool{}
	for _, s := range before.services {
		switch rapid.SampledFrom([]string{"stays", "changes", "goes"}).Draw(t, s.Name) {
		case "stays":
			after.services = append(after.services, s)
		case "changes":
			next := drawService(t, s.Group, s.Name, 2, 0)
			next.Needs, next.References = s.Needs, s.References
			after.services = append(after.services, next)
		case "goes":
			gone[s.Name] = true
		}
	}
	for i := range after.services {
		after.services[i] = without(after.services[i], gone)
	}
	return after
}

// without takes the needs of services that are gone away.
func without(s render.Service, gone map[string]bool) render.Service {
	kept := s
	kept.Needs, kept.References = nil, nil
	for _, n := range s.Needs {
		if !gone[n.Service] {
			kept.Needs = append(kept.Needs, n)
		}
	}
	for _, r := range s.References {
		if !gone[r.Service] {
			kept.References = append(kept.References, r)
		}
	}
	return kept
}

// everyRevision changes all templates of a product.
func everyRevision(p product, revision int) product {
	after := p
	after.services = nil
	for _, s := range p.services {
		next := service(s.Group, s.Name, revision)
		next.Needs, next.References = s.Needs, s.References
		for _, h := range s.Hooks {
			hook(h.Name, revision)(&next)
		}
		after.services = append(after.services, next)
	}
	return after
}

// objectsOf lists everything a plan writes.
func objectsOf(p *plan.Plan) []plan.Object {
	all := p.Passive
	for _, n := range p.Nodes {
		all = append(all[:len(all):len(all)], n.Objects...)
	}
	return all
}

func drawBehaviours(t *rapid.T, behaves map[plan.Key]behaviour, p *plan.Plan, fates ...fate) {
	for _, o := range objectsOf(p) {
		name := o.Key.String()
		behaves[o.Key] = behaviour{
			lag: rapid.IntRange(0, 2).Draw(t, name+" lags"), delay: rapid.IntRange(0, 5).Draw(t, name+" takes"),
			going: rapid.IntRange(0, 3).Draw(t, name+" goes"), fate: rapid.SampledFrom(fates).Draw(t, name+" ends"),
		}
	}
}
