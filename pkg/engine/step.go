package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// Engine takes steps. It holds no state of an environment.
type Engine struct {
	Target target.Target
	// Gate bounds the requests under way at the target, of all environments.
	Gate *pace.Gate
}

// Task is one environment to bring to its plan.
type Task struct {
	Plan   *plan.Plan
	Scope  target.Scope
	Record []v1alpha1.ServiceStatus
	// Refused is kept by the caller between steps; Step adds to it.
	Refused map[plan.Key]Refusal
	// Clocks, OwnClocks and Ranks are those of World.
	Clocks    Clocks
	OwnClocks map[string]Clocks
	Ranks     map[string]time.Duration
	// Stop says that nothing new starts once a service has failed.
	Stop bool
	// Drift, Up and Compared are those of World.
	Drift    v1alpha1.DriftPolicy
	Up       map[string]bool
	Compared Compared
	// Heals is kept by the caller between steps; Step adds to it.
	Heals map[plan.Key]Heals
	// Since is when the run began, by the clock of the target.
	Since time.Time
}

// Outcome is what a step saw and did.
type Outcome struct {
	Decision
	// Writes counts the objects written and deleted.
	Writes int64
	// More says that something to write is left for another step, to be taken at once.
	More bool
	// Healed are the drifts that were.
	Healed []Drift
}

// Step observes, decides and acts once. A write that is refused for good becomes part
// of the outcome; a transient failure is returned as the error, with what was seen.
func (e *Engine) Step(ctx context.Context, task Task, now func() time.Time) (Outcome, error) {
	world, err := e.see(ctx, task)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Decision: Decide(task.Plan, world, now())}
	drift := out.Drift
	if !out.Idle() {
		w := &writing{engine: e, task: task, state: world.State, now: now, written: map[plan.Key]bool{}}
		out.More, err = w.act(ctx, &out.Decision)
		out.Writes = w.count.Load()
		if w.refusals > 0 {
			err = errors.Join(err, e.retell(ctx, task, now, &out.Decision))
		}
		out.Healed = task.heal(drift, w.written, now())
	}
	e.explain(ctx, task, &out.Decision)
	return out, err
}

// see reads the world that a task is about.
func (e *Engine) see(ctx context.Context, task Task) (World, error) {
	state, err := e.Target.Observe(ctx, task.Scope, task.Plan.Kinds())
	if err != nil {
		return World{}, fmt.Errorf("observe namespace %s: %w", task.Scope.Namespace, err)
	}
	return World{
		State: state, Scope: task.Scope, Record: task.Record,
		Refused: task.Refused, Clocks: task.Clocks, OwnClocks: task.OwnClocks, Ranks: task.Ranks,
		Stop: task.Stop, Since: task.Since,
		Drift: task.Drift, Up: task.Up, Heals: task.Heals, Compared: task.Compared,
	}, nil
}

// retell tells the story anew when writes were refused: a refusal changes it, and no
// event will come for what was not written.
func (e *Engine) retell(ctx context.Context, task Task, now func() time.Time, d *Decision) error {
	world, err := e.see(ctx, task)
	if err != nil {
		return err
	}
	*d = Decide(task.Plan, world, now())
	d.Passive, d.Apply, d.Delete = nil, nil, nil
	return nil
}

func find(record []v1alpha1.ServiceStatus, name string) *v1alpha1.ServiceStatus {
	for i := range record {
		if record[i].Name == name {
			return &record[i]
		}
	}
	return nil
}

// TearDown takes one step of taking an environment down; done says that no workload
// is left.
func (e *Engine) TearDown(ctx context.Context, scope target.Scope, nodes []v1alpha1.PlanNode) (done bool, message string, err error) {
	state, err := e.Target.Observe(ctx, scope, nil)
	if err != nil {
		return false, "", fmt.Errorf("observe namespace %s: %w", scope.Namespace, err)
	}
	deletions, done, message := Dismantle(nodes, scope, state)
	var count atomic.Int64
	return done, message, e.remove(ctx, scope, deletions, &count)
}
