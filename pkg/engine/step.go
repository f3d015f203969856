package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// writers bounds the requests under way for one environment; the apiserver's own
// flow control does the rest.
const writers = 16

// Engine takes steps. It holds no state of an environment.
type Engine struct {
	Target target.Target
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
	// Since is when the run began, by the clock of the target.
	Since time.Time
}

// Outcome is what a step saw and did.
type Outcome struct {
	Decision
	// Writes counts the objects written and deleted.
	Writes int64
}

// Step observes, decides and acts once. A write that is refused for good becomes part
// of the outcome; a transient failure is returned as the error, with what was seen.
func (e *Engine) Step(ctx context.Context, task Task, now func() time.Time) (Outcome, error) {
	world, err := e.see(ctx, task)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Decision: Decide(task.Plan, world, now())}
	if !out.Idle() {
		w := &writing{engine: e, task: task, state: world.State, failed: map[string]bool{}}
		err = w.act(ctx, &out.Decision)
		out.Writes = w.count.Load()
		if w.refusals > 0 {
			err = errors.Join(err, e.retell(ctx, task, now, &out.Decision))
		}
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

// writing acts on one decision.
type writing struct {
	engine *Engine
	task   Task
	state  target.State
	count  atomic.Int64

	mu       sync.Mutex
	refusals int
	failed   map[string]bool // services of which a write failed
}

// act writes what was decided: passive objects first, and no workload of a service
// whose passive objects are not there.
func (w *writing) act(ctx context.Context, d *Decision) error {
	err := w.apply(ctx, d.Passive)
	workloads := slices.DeleteFunc(slices.Clone(d.Apply), func(o plan.Object) bool { return w.failed[o.Service] })
	err = errors.Join(err, w.apply(ctx, workloads))
	return errors.Join(err, w.engine.remove(ctx, w.task.Scope, d.Delete, &w.count))
}

func (w *writing) apply(ctx context.Context, objects []plan.Object) error {
	var g errgroup.Group
	g.SetLimit(writers)
	for _, o := range objects {
		live := w.state.Objects[o.Key]
		mine := live != nil && target.Owned(w.task.Scope, live)
		g.Go(func() error {
			err := w.engine.Target.Apply(ctx, w.task.Scope, o, mine)
			if err == nil {
				w.count.Add(1)
				return nil
			}
			return w.refused(o, err)
		})
	}
	return g.Wait()
}

// refused keeps an error that a retry does not change, and returns any other.
func (w *writing) refused(o plan.Object, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed[o.Service] = true
	cause := health.Refusal(err)
	var kind *target.KindError
	if errors.As(err, &kind) {
		cause = &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: kind.Error(), Hint: "install what defines the kind, or remove the manifest from the template"}
	}
	if cause == nil {
		return err
	}
	cause.Object = o.Key.String()
	w.refusals++
	w.task.Refused[o.Key] = Refusal{Hash: o.Hash, Cause: *cause}
	return nil
}

func (e *Engine) remove(ctx context.Context, scope target.Scope, deletions []Deletion, count *atomic.Int64) error {
	var g errgroup.Group
	g.SetLimit(writers)
	for _, d := range deletions {
		g.Go(func() error {
			if err := e.Target.Delete(ctx, scope, d.Key, d.UID); err != nil {
				return err
			}
			count.Add(1)
			return nil
		})
	}
	return g.Wait()
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
