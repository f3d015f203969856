package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// burst is how long a step goes on beginning writes. After it the world is seen anew, so
// that what has become urgent meanwhile does not wait for what is not.
const burst = 50 * time.Millisecond

// parcel is what is written of one service: its workloads when its passive objects are
// there.
type parcel struct {
	passive, workloads []plan.Object
}

// parcels puts what was decided in the order to write it in: what belongs to no service,
// the services that may start, the most urgent first, then the passive objects of all
// others.
func parcels(d *Decision) []*parcel {
	shared, others := &parcel{}, []*parcel(nil)
	var starting []*parcel
	of := map[string]*parcel{"": shared}
	for _, o := range d.Apply {
		if of[o.Service] == nil {
			of[o.Service] = &parcel{}
			starting = append(starting, of[o.Service])
		}
		of[o.Service].workloads = append(of[o.Service].workloads, o)
	}
	for _, o := range d.Passive {
		if of[o.Service] == nil {
			of[o.Service] = &parcel{}
			others = append(others, of[o.Service])
		}
		of[o.Service].passive = append(of[o.Service].passive, o)
	}
	return append(append([]*parcel{shared}, starting...), others...)
}

// writing acts on one decision.
type writing struct {
	engine *Engine
	task   Task
	state  target.State
	now    func() time.Time
	count  atomic.Int64

	mu       sync.Mutex
	refusals int
	written  map[plan.Key]bool
}

// act writes and deletes what was decided, and says whether it has left something for
// another step.
func (w *writing) act(ctx context.Context, d *Decision) (more bool, err error) {
	until := w.now().Add(burst)
	g := w.engine.group()
	for _, p := range parcels(d) {
		if more = w.now().After(until); more {
			break
		}
		g.Go(func() error { return w.deliver(ctx, p) })
	}
	err = g.Wait()
	return more, errors.Join(err, w.engine.remove(ctx, w.task.Scope, d.Delete, &w.count))
}

// deliver writes a parcel; no workload goes without the passive objects that it needs.
func (w *writing) deliver(ctx context.Context, p *parcel) error {
	whole, err := w.apply(ctx, p.passive)
	if err != nil || !whole {
		return err
	}
	_, err = w.apply(ctx, p.workloads)
	return err
}

// apply writes objects side by side and says whether all are there.
func (w *writing) apply(ctx context.Context, objects []plan.Object) (whole bool, err error) {
	g := w.engine.group()
	var refused atomic.Bool
	for _, o := range objects {
		live := w.state.Objects[o.Key]
		mine := live != nil && target.Owned(w.task.Scope, live)
		g.Go(func() error {
			err := w.engine.throttled(ctx, func() error { return w.engine.Target.Apply(ctx, w.task.Scope, o, mine) })
			if err == nil {
				w.wrote(o.Key)
				return nil
			}
			refused.Store(true)
			return w.refused(o, err)
		})
	}
	err = g.Wait()
	return !refused.Load(), err
}

func (w *writing) wrote(key plan.Key) {
	w.count.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[key] = true
}

// refused keeps an error that a retry does not change, and returns any other.
func (w *writing) refused(o plan.Object, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	g := e.group()
	for _, d := range deletions {
		g.Go(func() error {
			err := e.throttled(ctx, func() error { return e.Target.Delete(ctx, scope, d.Key, d.UID) })
			if err != nil {
				return err
			}
			count.Add(1)
			return nil
		})
	}
	return g.Wait()
}

// group runs as many requests side by side as the target takes now.
func (e *Engine) group() *errgroup.Group {
	g := &errgroup.Group{}
	g.SetLimit(e.Gate.Allowed())
	return g
}

// throttled sends a request when the target has room for it, together with those of all
// other environments.
func (e *Engine) throttled(ctx context.Context, request func() error) error {
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return request()
}
