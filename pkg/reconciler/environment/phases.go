package environment

import (
	"context"
	"errors"
	"fmt"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/scaffold"
)

// suspend ends the pass of a suspended environment, and the run that is on its way.
func (r *Reconciler) suspend(ctx context.Context, p *pass) error {
	if !p.env.Spec.Suspend {
		return nil
	}
	p.memory.outbox.Withdraw()
	current, err := r.current(p)
	if err != nil {
		return err
	}
	if current != nil && !current.Done() {
		stopped, err := r.end(ctx, p, current, ending{phase: v1alpha1.PhaseSuspended, message: "stopped: the environment was suspended"})
		if err != nil {
			return err
		}
		p.memory.run = stopped
	}
	p.env.MarkSuspended("suspended: nothing is written until spec.suspend is cleared, by the next deploy or by hand")
	return errWait
}

// prepare makes the namespace and what stands in it.
func (r *Reconciler) prepare(ctx context.Context, p *pass) error {
	want, err := scaffold.For(p.env, p.class, p.product.Spec.Secrets)
	if err != nil {
		return err
	}
	p.env.Status.Namespace = p.scope.Namespace
	ready, err := r.homes.Prepare(ctx, p.scope, want)
	var foreign interface{ Foreign() bool }
	if errors.As(err, &foreign) && foreign.Foreign() {
		r.after(p.key, refusedFor) // nobody tells when the namespace is free
		return invalid(err)
	}
	if err != nil {
		p.env.MarkProgressing("preparing namespace " + p.scope.Namespace + "; trying again: " + err.Error())
		return err
	}
	if !ready {
		p.env.MarkProgressing("waiting for an older namespace " + p.scope.Namespace + " to go")
		return errWait
	}
	return nil
}

// advance lets the engine take one step. A write that failed and may succeed later is
// told before it is tried again.
func (r *Reconciler) advance(ctx context.Context, p *pass) error {
	r.reconsider(p)
	if err := r.remember(p); err != nil {
		return err
	}
	var err error
	p.outcome, err = r.engine.Step(ctx, engine.Task{
		Plan: p.plan, Scope: p.scope, Record: p.memory.record, Refused: p.memory.refused, Outbox: p.memory.outbox,
		Clocks: clocks(p.class), OwnClocks: p.memory.past.clocks, Ranks: p.memory.past.ranks,
		Stop: stops(p.env, p.class, p.run), Since: p.run.CreationTimestamp.Time,
		Drift: driftPolicy(p.env, p.class), Up: broughtUp(p.run), Heals: p.memory.heals, Compared: p.memory.compared,
	}, r.clock.Now)
	if p.outcome.Phase == "" {
		return r.unseen(p, err)
	}
	p.trouble = err
	p.memory.record = p.outcome.Services
	p.memory.writes += p.outcome.Writes
	if r.retryRefused(p) {
		return errWait
	}
	return nil
}

// record tells the story: on the Environment, and on the run when it starts and ends.
func (r *Reconciler) record(ctx context.Context, p *pass) error {
	o := &p.outcome
	if !o.Wake.IsZero() {
		r.after(p.key, o.Wake.Sub(r.clock.Now()))
	}
	services := engine.Fit(o.Services, engine.StoryLimit)
	p.env.Status.Services = services
	p.env.Status.Progress = fmt.Sprintf("%d/%d", o.Ready, len(o.Services))
	p.env.Status.URL = firstURL(o.Services)
	p.tellPhase()
	p.env.MarkDrifted(drifted(o.Drift))
	tellDrift(ctx, p)
	r.smooth(p)
	return errors.Join(r.tellRun(ctx, p, services), p.trouble)
}

// tellPhase tells how the environment is. One that was rolled back runs, and is not what
// its spec asks for.
func (p *pass) tellPhase() {
	o, prefix := &p.outcome, ""
	if p.back != nil {
		prefix = goingBack(p.back) + ": "
	}
	switch {
	case o.Phase == v1alpha1.PhaseReady && p.back.Asked():
		p.env.MarkReady(wentBack(p.back) + ": " + o.Message)
	case o.Phase == v1alpha1.PhaseReady && p.back != nil:
		p.env.MarkFailed(v1alpha1.ReasonRolledBack, wentBack(p.back)+", since "+sinceFailure(p.back))
	case o.Phase == v1alpha1.PhaseReady:
		p.env.MarkReady(o.Message)
	case o.Phase == v1alpha1.PhaseFailed:
		p.env.MarkFailed(v1alpha1.ReasonFailed, prefix+o.Message+p.stays)
	default:
		p.env.MarkProgressing(prefix + o.Message + p.delay())
	}
}

// delay tells what keeps a write from being done.
func (p *pass) delay() string {
	if p.trouble == nil {
		return ""
	}
	return "; trying again: " + p.trouble.Error()
}

func firstURL(services []v1alpha1.ServiceStatus) string {
	for _, s := range services {
		if s.URL != "" {
			return s.URL
		}
	}
	return ""
}

// tellRun writes the run when it starts and when it ends. What happens after its end is
// the Environment's story.
func (r *Reconciler) tellRun(ctx context.Context, p *pass, services []v1alpha1.ServiceStatus) error {
	if p.run.Done() {
		return nil
	}
	o := &p.outcome
	over := o.Phase == v1alpha1.PhaseReady || o.Phase == v1alpha1.PhaseFailed
	if p.run.Status.StartTime != nil && !over {
		return nil
	}
	run := p.run.DeepCopy()
	r.started(run)
	run.Status.Phase, run.Status.Message = o.Phase, o.Message
	if p.back != nil {
		run.Status.Message = wentBack(p.back) + ": " + o.Message
	}
	run.Status.Progress = fmt.Sprintf("%d/%d", o.Ready, len(o.Services))
	run.Status.Services, run.Status.Writes = services, p.memory.writes
	if over {
		r.ended(run)
	}
	written, err := r.write(ctx, run)
	if err != nil {
		return err
	}
	p.memory.run = written
	return nil
}
