package environment

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// gather reads what the environment is made from and plans it. A plan is made again
// only when something it was made from has changed.
func (r *Reconciler) gather(_ context.Context, p *pass) error {
	in, key, err := r.input(p)
	if err != nil {
		return err
	}
	p.madeFrom = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key)))
	made := func() (*plan.Plan, error) { return r.rendered(p, in, key) }
	if run := p.env.Spec.Run; run != nil && run.Rollback != nil {
		err = r.gatherBack(p, run.Rollback, made)
	} else {
		p.plan, err = made()
	}
	if err == nil && p.plan != nil {
		return r.keepPlaces(p)
	}
	return err
}

// keepPlaces notes the places of a plan that was not made by this pass: one that is kept, or
// one that is gone back to.
func (r *Reconciler) keepPlaces(p *pass) error {
	if p.memory.placed == p.plan {
		return nil
	}
	has, err := takenBy(p.key, p.plan)
	if err == nil {
		p.memory.placed = p.plan
		r.places.keep(p.key, has)
	}
	return err
}

// rendered is the plan of what the spec says.
func (r *Reconciler) rendered(p *pass, in render.Input, key string) (*plan.Plan, error) {
	if p.memory.plan != nil && p.memory.planKey == key {
		p.sources = p.memory.sources
		return p.memory.plan, nil
	}
	read, err := r.read(p, &in)
	var away *away
	if errors.As(err, &away) {
		return r.without(p, away)
	}
	if err != nil {
		return nil, err
	}
	made, err := r.placed(p, &in)
	if err != nil {
		return nil, err
	}
	p.memory.plan, p.memory.planKey, p.memory.sources, p.sources = made, key, read, read
	return made, nil
}

// placed makes a plan and takes its places on machines. When somebody else has taken some
// meanwhile, it is made again.
func (r *Reconciler) placed(p *pass, in *render.Input) (*plan.Plan, error) {
	for {
		rendered, err := render.Product(*in)
		if err != nil {
			return nil, invalid(err)
		}
		made, err := plan.Compute(plan.Input{Product: in.Product, Rendered: rendered, Environment: in.Environment})
		if err != nil {
			return nil, invalid(err)
		}
		has, err := takenBy(p.key, made)
		if err != nil {
			return nil, err
		}
		if r.places.take(p.key, has, p.placesAt) {
			p.memory.placed = made
			return made, nil
		}
		if err := r.addHosts(p, in, &strings.Builder{}); err != nil {
			return nil, err
		}
	}
}

// input finds the objects by name, and a key that changes when any of them does.
func (r *Reconciler) input(p *pass) (render.Input, string, error) {
	env := p.env
	var err error
	p.product, err = r.products.Products(env.Namespace).Get(env.Spec.Product)
	if apierrors.IsNotFound(err) {
		return render.Input{}, "", invalid(fmt.Errorf("spec.product: there is no Product %q in namespace %s; create it, or name one of: kubectl get products -n %s", env.Spec.Product, env.Namespace, env.Namespace))
	}
	if err != nil {
		return render.Input{}, "", fmt.Errorf("get product %s: %w", env.Spec.Product, err)
	}
	p.class, err = r.classes.Get(env.Spec.Class)
	if apierrors.IsNotFound(err) {
		return render.Input{}, "", invalid(fmt.Errorf("spec.class: there is no EnvironmentClass %q; create it, or name one of: kubectl get environmentclasses", env.Spec.Class))
	}
	if err != nil {
		return render.Input{}, "", fmt.Errorf("get class %s: %w", env.Spec.Class, err)
	}
	in := render.Input{
		Product: p.product, Class: p.class, Environment: env,
		Namespace: p.scope.Namespace, Templates: map[string]*v1alpha1.ServiceTemplate{}, Sources: r.sources,
	}
	key := &strings.Builder{}
	fmt.Fprintf(key, "%s/%d %s/%d %s/%d", env.UID, env.Generation, p.product.UID, p.product.Generation, p.class.UID, p.class.Generation)
	if err = r.addTemplates(in, key); err != nil {
		return in, "", err
	}
	if err = r.addOrigins(in, key); err != nil {
		return in, "", err
	}
	err = r.addHosts(p, &in, key)
	return in, key.String(), err
}

// addTemplates finds the templates that the product names; render tells of a missing
// one, since it knows the field.
func (r *Reconciler) addTemplates(in render.Input, key *strings.Builder) error {
	for _, g := range in.Product.Spec.Groups {
		for _, s := range g.Services {
			if in.Templates[s.Template] != nil {
				continue
			}
			t, err := r.templates.ServiceTemplates(in.Product.Namespace).Get(s.Template)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("get template %s: %w", s.Template, err)
			}
			in.Templates[s.Template] = t
			fmt.Fprintf(key, " %s/%d", t.UID, t.Generation)
		}
	}
	return nil
}
