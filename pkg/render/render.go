// Package render turns a product, its templates, a class and an environment into the
// final values of every service, each knowing the layer it came from, and into the
// Kubernetes objects that run it.
//
// It is a pure function of its input: the same input gives the same bytes. It either
// renders everything or says, in one sentence each, all that is wrong.
package render

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
	sources "spock.dev/spock/pkg/source"
)

// Input is all that a rendering depends on. Nothing of it is changed.
type Input struct {
	// Product to render.
	Product *v1alpha1.Product
	// Templates of the product's namespace, by name; those in use are enough.
	Templates map[string]*v1alpha1.ServiceTemplate
	// Class of the environment.
	Class *v1alpha1.EnvironmentClass
	// Environment to render the product for.
	Environment *v1alpha1.Environment
	// Namespace in which the services run.
	Namespace string
	// Hosts that services may be placed on, without what this environment has there.
	Hosts []placement.Host
	// On are the hosts that services of this environment are on, by service.
	On map[string][]string
	// Found are the files that do not stand in the templates: of all that Origins tells.
	Found map[sources.Origin]sources.Found
	// Draft says that no class and no environment is known: what only they can say is not
	// missing, and a service that waits for it is looked at as far as it is known.
	Draft bool
	// Sources keeps what was built from charts and Kustomize directories between
	// renderings; without it they are built each time.
	Sources *sources.Cache
}

// Rendered is a product made concrete.
type Rendered struct {
	// Services of the environment, in product order.
	Services []Service
}

// Service is one service made concrete.
type Service struct {
	// Name and Group in the product.
	Name, Group string
	// Image is the final image; empty when the template's manifests need none.
	Image string
	// URL is the public address; empty when the service is not exposed.
	URL string
	// Passive objects run nothing and can be written before the service's turn.
	Passive []*unstructured.Unstructured
	// Workloads are the objects whose readiness is the service's.
	Workloads []*unstructured.Unstructured
	// Hooks run before the workloads are written, in this order.
	Hooks []Hook
	// References are the other services that its expressions name, each once.
	References []Reference
	// Needs as the product gives them, checked.
	Needs []v1alpha1.Need
	// Values are the final parameters, image, replicas and variables.
	Values []Value
	// Ready are the template's rules for kinds that Kubernetes has none for.
	Ready []v1alpha1.ReadyRule
	// MinReadySeconds the service must stay ready.
	MinReadySeconds int32
}

// Hook is a job that runs before the workloads.
type Hook struct {
	Name string
	Job  *unstructured.Unstructured
}

// Reference is another service that an expression names.
type Reference struct {
	// Service that is named.
	Service string
	// Field where it is named first.
	Field string
}

// Value is a final value and where it came from.
type Value struct {
	// Name is `params.X`, `image`, `replicas` or `env.X`.
	Name string
	// Value is a string, int64 or bool; `secret NAME/KEY` for a variable from a Secret.
	Value any
	// Layer that won.
	Layer Layer
}

// Product renders a product for an environment. The error joins one *Error for
// everything that is wrong, in a stable order; then there is no Rendered.
func Product(in Input) (*Rendered, error) {
	p := &problems{}
	if in.check(p); p.any() {
		return nil, p.err()
	}
	roster := newRoster(in, p)
	services := roster.settle(p)
	switch {
	case in.Draft:
		roster.somewhere(services)
	case !p.any():
		roster.place(services, p)
	}
	if p.any() {
		return nil, p.err()
	}
	out, err := roster.build(services, p)
	if err != nil {
		return nil, err
	}
	refuseConflicts(out, roster, p)
	if p.any() {
		return nil, p.err()
	}
	return out, nil
}

// check refuses an input with a hole, which only a caller's mistake can make.
func (in Input) check(p *problems) {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{"product", in.Product == nil},
		{"class", in.Class == nil},
		{"environment", in.Environment == nil},
		{"namespace", in.Namespace == ""},
	} {
		if part.missing {
			p.add(part.name, "give it", "it is missing")
		}
	}
}
