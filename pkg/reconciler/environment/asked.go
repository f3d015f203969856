package environment

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/plan"
)

// gatherBack finds what a rollback asks for that stands in the spec. Once its run has begun
// that run knows: the one that it goes back to may be forgotten then.
func (r *Reconciler) gatherBack(p *pass, want *v1alpha1.RollbackRequest, rendered func() (*plan.Plan, error)) error {
	current, err := r.current(p)
	if err != nil {
		return err
	}
	if current != nil && current.Spec.Generation == p.env.Generation && current.Spec.Rollback.Asked() {
		return p.restored(current)
	}
	to, err := r.target(p, want.To)
	if err != nil {
		return err
	}
	before, err := p.memory.unpack(to)
	if err != nil {
		return invalid(fmt.Errorf("spec.run.rollback.to: what run %s wrote cannot be read: %w; go back to another run", to.Name, err))
	}
	p.back = &v1alpha1.Rollback{From: p.env.Status.Run, To: to.Name, Services: want.Services}
	p.plan, p.source, p.sources = before, to.Spec.Source, to.Spec.Sources
	if len(want.Services) == 0 {
		return nil
	}
	now, err := rendered()
	if err != nil {
		return err
	}
	return p.goBack(now, before, want)
}

// goBack makes the plan in which some services are as they were. One that is so already is
// no mistake.
func (p *pass) goBack(now, before *plan.Plan, want *v1alpha1.RollbackRequest) error {
	was, is := names(before), names(now)
	for _, s := range want.Services {
		switch {
		case !slices.Contains(was, s):
			return invalid(fmt.Errorf("spec.run.rollback.services: run %s had no service %q; %s", want.To, s, nearest.Hint(s, was, "it had none")))
		case !slices.Contains(is, s):
			return invalid(fmt.Errorf("spec.run.rollback.services: the product has no service %q any more; go back with all services, or name others", s))
		}
	}
	p.plan, _ = now.Restore(before, want.Services)
	return nil
}

// names are the services of a plan.
func names(p *plan.Plan) []string {
	var all []string
	for _, n := range p.Nodes {
		if n.Kind == plan.Service {
			all = append(all, n.Service)
		}
	}
	return all
}

// target finds a run to go back to.
func (r *Reconciler) target(p *pass, name string) (*v1alpha1.EnvironmentRun, error) {
	const field = "spec.run.rollback.to"
	run, err := r.runs.EnvironmentRuns(p.key.Namespace).Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("get run %s: %w", name, err)
	}
	switch {
	case err != nil || run.Spec.EnvironmentUID != string(p.env.UID):
		return nil, invalid(fmt.Errorf("%s: environment %s has no run %q; see: spock env history %s -n %s", field, p.key.Name, name, p.key.Name, p.key.Namespace))
	case run.Status.Phase != v1alpha1.PhaseReady || !run.Done():
		return nil, invalid(fmt.Errorf("%s: run %s did not end Ready, it is %s; go back to one that did: spock env history %s -n %s", field, name, run.Status.Phase, p.key.Name, p.key.Namespace))
	case len(run.Spec.Snapshot) == 0:
		return nil, invalid(fmt.Errorf("%s: %s", field, noCopy(run)))
	}
	return run, nil
}
