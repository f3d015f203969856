// Package product reconciles Products: its status tells, as soon as a product or one of its
// templates is applied, what is wrong with it for every environment. It writes nothing else.
package product

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	listers "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// most is how long a message may be, in bytes.
const most = 4000

// Reconciler reconciles Products.
type Reconciler struct {
	products  listers.ProductLister
	templates listers.ServiceTemplateLister
}

// ReconcileKind checks a product with its templates.
func (r *Reconciler) ReconcileKind(_ context.Context, p *v1alpha1.Product) reconciler.Event {
	all, err := r.templates.ServiceTemplates(p.Namespace).List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list the templates of namespace %s: %w", p.Namespace, err)
	}
	templates := make(map[string]*v1alpha1.ServiceTemplate, len(all))
	for _, t := range all {
		templates[t.Name] = t
	}
	if _, err := plan.Check(render.Draft(p, templates)); err != nil {
		p.MarkInvalid(shorten(err.Error()))
		return nil
	}
	services := 0
	for _, g := range p.Spec.Groups {
		services += len(g.Services)
	}
	p.MarkValid(fmt.Sprintf("%d services in %d groups", services, len(p.Spec.Groups)))
	return nil
}

// shorten keeps whole sentences, and says how many are left out.
func shorten(message string) string {
	if len(message) <= most {
		return message
	}
	lines := strings.Split(message, "\n")
	kept, size := 0, 0
	for kept < len(lines) && size+len(lines[kept]) < most {
		size += len(lines[kept]) + 1
		kept++
	}
	return fmt.Sprintf("%s\n(%d more)", strings.Join(lines[:kept], "\n"), len(lines)-kept)
}
