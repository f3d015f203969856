package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	// Patience is how long a step waits for what it has sent: most of it ends before, the
	// rest ends in an event. Patience when zero.
	Patience time.Duration
}

// Task is one environment to bring to its plan.
type Task struct {
	Plan   *plan.Plan
	Scope  target.Scope
	Record []v1alpha1.ServiceStatus
	// Refused is kept by the caller between steps; Step adds to it.
	Refused map[plan.Key]Refusal
	// Outbox is kept by the caller between steps.
	Outbox *Outbox
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
	// Healed are the drifts that were.
	Healed []Drift

	state target.State
}

// Patience is the usual patience of a step.
const Patience = 50 * time.Millisecond

// Step observes, decides and acts once. A write that is refused for good becomes part of
// the outcome; a transient failure is returned as the error, with what was seen, and
// nothing is sent until the caller takes another step.
func (e *Engine) Step(ctx context.Context, task Task, now func() time.Time) (Outcome, error) {
	late := task.keep(task.Outbox.collect())
	healed := task.heal(late, now())
	task.Outbox.look()
	out, err := e.decide(ctx, task, now)
	if err != nil {
		return Outcome{}, err
	}
	out.Writes, out.Healed = late.writes, healed
	if len(late.errs) > 0 {
		task.Outbox.Withdraw()
		e.explain(ctx, task, &out.Decision)
		return out, errors.Join(late.errs...)
	}
	task.Outbox.put(task.Scope, out.state, &out.Decision)
	came := task.keep(task.Outbox.settle(ctx, cmp.Or(e.Patience, Patience)))
	out.Writes += came.writes
	out.Healed = append(out.Healed, task.heal(came, now())...)
	if len(came.refused) > 0 {
		// A refusal changes the story, and no event will come for what was not written.
		again, err := e.decide(ctx, task, now)
		if err != nil {
			return out, err
		}
		again.Passive, again.Apply, again.Delete = nil, nil, nil
		out.Decision = again.Decision
	}
	e.explain(ctx, task, &out.Decision)
	return out, errors.Join(came.errs...)
}

// keep remembers what was refused.
func (t *Task) keep(s sent) sent {
	maps.Copy(t.Refused, s.refused)
	return s
}

// decide sees the world and decides.
func (e *Engine) decide(ctx context.Context, task Task, now func() time.Time) (Outcome, error) {
	world, err := e.see(ctx, task)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Decision: Decide(task.Plan, world, now()), state: world.State}, nil
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
	came := e.deliver(ctx, &parcel{deletions: deletions, scope: scope, state: state})
	return done, message, errors.Join(came.errs...)
}
