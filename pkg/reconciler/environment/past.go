package environment

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/history"
)

// The clocks of a service of which no run is known, and the bounds of those that follow
// from past runs. A new image may have to be pulled, which shows no progress for as long
// as it takes, so a service that was always fast gets no less time for it than a new one.
const (
	defaultNoProgress = 120 * time.Second
	defaultDeadline   = 600 * time.Second
)

var (
	noProgressBounds = history.Bounds{Floor: defaultNoProgress, Ceiling: 600 * time.Second}
	deadlineBounds   = history.Bounds{Floor: 300 * time.Second, Ceiling: 3600 * time.Second}
)

// past is what earlier runs say about the one that is on its way. It is read once a run:
// what happens meanwhile is for the next one.
type past struct {
	run    string // it is for
	class  int64  // generation of the class
	clocks map[string]engine.Clocks
	ranks  map[string]time.Duration
}

// remember reads the runs of the product in this namespace, also those of other
// environments, so that a new environment knows what the others have learnt.
func (r *Reconciler) remember(p *pass) error {
	if p.memory.past.run == p.run.Name && p.memory.past.class == p.class.Generation {
		return nil
	}
	of := labels.SelectorFromSet(labels.Set{v1alpha1.LabelProduct: p.env.Spec.Product})
	runs, err := r.runs.EnvironmentRuns(p.key.Namespace).List(of)
	if err != nil {
		return fmt.Errorf("list the runs of product %s: %w", p.env.Spec.Product, err)
	}
	known := history.Of(runs)
	p.memory.past = past{
		run: p.run.Name, class: p.class.Generation,
		clocks: ownClocks(p.class, known), ranks: p.plan.Ranks(known.Usual()),
	}
	return nil
}

// clocks are those of services of which no run is known.
func clocks(class *v1alpha1.EnvironmentClass) engine.Clocks {
	c := engine.Clocks{NoProgress: defaultNoProgress, Deadline: defaultDeadline}
	if s := class.Spec.NoProgressSeconds; s > 0 {
		c.NoProgress = time.Duration(s) * time.Second
	}
	if s := class.Spec.DeadlineSeconds; s > 0 {
		c.Deadline = time.Duration(s) * time.Second
	}
	return c
}

// ownClocks are the clocks that follow from past runs, by service. What the class says
// holds for all.
func ownClocks(class *v1alpha1.EnvironmentClass, known history.History) map[string]engine.Clocks {
	own := map[string]engine.Clocks{}
	for service := range known.Usual() {
		c := clocks(class)
		if class.Spec.NoProgressSeconds == 0 {
			c.NoProgress, _ = known.Suspicious(service, noProgressBounds)
		}
		if class.Spec.DeadlineSeconds == 0 {
			c.Deadline, _ = known.Suspicious(service, deadlineBounds)
		}
		own[service] = c
	}
	return own
}
