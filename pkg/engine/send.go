package engine

import (
	"context"
	"errors"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// parcel is what goes out together: what is deleted and written of one service. Its
// workloads go when its passive objects are there.
type parcel struct {
	deletions []Deletion

	passive, workloads []plan.Object

	scope target.Scope
	state target.State
}

// urgent parcels start something, or stop something that is in the way.
func (p *parcel) urgent() bool { return len(p.workloads)+len(p.deletions) > 0 }

// each goes over what is in the parcel.
func (p *parcel) each(do func(plan.Key)) {
	for _, d := range p.deletions {
		do(d.Key)
	}
	for _, o := range p.passive {
		do(o.Key)
	}
	for _, o := range p.workloads {
		do(o.Key)
	}
}

// parcels puts what was decided in the order to send it in: what belongs to no service,
// the services that may start, the most urgent first, their addresses, then the passive
// objects of all others. A workload starts without its own addresses, which take an
// apiserver long to make; its gate waits for them.
func parcels(d *Decision) []*parcel {
	shared := &parcel{deletions: d.Delete}
	starting, addresses, others := newParcels(), newParcels(), newParcels()
	for _, o := range d.Apply {
		p := starting.of(o.Service)
		p.workloads = append(p.workloads, o)
	}
	for _, o := range d.Passive {
		p := shared
		switch {
		case o.Service == "":
		case starting.has(o.Service) && address(o):
			p = addresses.of(o.Service)
		case starting.has(o.Service):
			p = starting.of(o.Service)
		default:
			p = others.of(o.Service)
		}
		p.passive = append(p.passive, o)
	}
	all := slices.Concat(starting.all, addresses.all, others.all)
	if len(shared.deletions)+len(shared.passive) > 0 {
		all = slices.Insert(all, 0, shared)
	}
	return all
}

// address says whether an object only leads others to the pods.
func address(o plan.Object) bool {
	switch o.Key.GroupKind() {
	case schema.GroupKind{Kind: "Service"}, schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}:
		return true
	}
	return false
}

// inParcels are parcels by service, in the order in which they were asked for.
type inParcels struct {
	all       []*parcel
	byService map[string]*parcel
}

func newParcels() *inParcels { return &inParcels{byService: map[string]*parcel{}} }

func (i *inParcels) has(service string) bool { return i.byService[service] != nil }

func (i *inParcels) of(service string) *parcel {
	if !i.has(service) {
		i.byService[service] = &parcel{}
		i.all = append(i.all, i.byService[service])
	}
	return i.byService[service]
}

// delivery is a parcel on its way.
type delivery struct {
	engine *Engine
	*parcel

	mu sync.Mutex
	sent
}

// deliver sends a parcel and returns what came of it.
func (e *Engine) deliver(ctx context.Context, p *parcel) sent {
	d := &delivery{engine: e, parcel: p, sent: newSent()}
	each(p.deletions, func(gone Deletion) { d.remove(ctx, gone) })
	d.apply(ctx, p.passive)
	if len(d.errs)+len(d.refused) == 0 {
		d.apply(ctx, p.workloads)
	}
	return d.sent
}

// each does something with all at once; the gate is what limits.
func each[T any](all []T, do func(T)) {
	var wait sync.WaitGroup
	for _, one := range all {
		wait.Go(func() { do(one) })
	}
	wait.Wait()
}

func (d *delivery) apply(ctx context.Context, objects []plan.Object) {
	each(objects, func(o plan.Object) {
		live := d.state.Objects[o.Key]
		mine := live != nil && target.Owned(d.scope, live)
		err := d.engine.throttled(ctx, func() error { return d.engine.Target.Apply(ctx, d.scope, o, mine) })
		d.note(err, func() { d.refuse(o, err) })
		if err == nil {
			d.wrote(o.Key)
		}
	})
}

func (d *delivery) remove(ctx context.Context, gone Deletion) {
	err := d.engine.throttled(ctx, func() error { return d.engine.Target.Delete(ctx, d.scope, gone.Key, gone.UID) })
	d.note(err, func() { d.errs = append(d.errs, err) })
}

// note counts what went well and keeps what did not.
func (d *delivery) note(err error, keep func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.writes++
		return
	}
	keep()
}

func (d *delivery) wrote(key plan.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written[key] = true
}

// refuse keeps an error apart that a retry does not change.
func (d *delivery) refuse(o plan.Object, err error) {
	cause := health.Refusal(err)
	var kind *target.KindError
	if errors.As(err, &kind) {
		cause = &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: kind.Error(), Hint: "install what defines the kind, or remove the manifest from the template"}
	}
	if cause == nil {
		d.errs = append(d.errs, err)
		return
	}
	cause.Object = o.Key.String()
	d.refused[o.Key] = Refusal{Hash: o.Hash, Cause: *cause}
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
