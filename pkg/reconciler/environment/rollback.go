package environment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// onFailure is what a failure does: the environment has the first word, its class the
// second.
func onFailure(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) v1alpha1.OnFailure {
	return cmp.Or(env.Spec.OnFailure, class.Spec.OnFailure, v1alpha1.OnFailureIsolate)
}

func rollbackScope(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) v1alpha1.RollbackScope {
	return cmp.Or(env.Spec.RollbackScope, class.Spec.RollbackScope, v1alpha1.RollbackEnvironment)
}

// stops says whether a failure keeps everything new from starting: so it is with Stop, and
// where all would be rolled back anyway.
func stops(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass, run *v1alpha1.EnvironmentRun) bool {
	switch onFailure(env, class) {
	case v1alpha1.OnFailureStop:
		return true
	case v1alpha1.OnFailureRollback:
		return run.Spec.Rollback == nil && rollbackScope(env, class) == v1alpha1.RollbackEnvironment
	default:
		return false
	}
}

// retreat rolls a run back that has failed: it ends the run and starts another one, whose
// plan is what ran before. A crash between the two finds the failed run and goes on.
func (r *Reconciler) retreat(ctx context.Context, p *pass) error {
	ended := p.run.Done() && p.run.Status.Phase != v1alpha1.PhaseFailed
	if p.outcome.Phase != v1alpha1.PhaseFailed || p.trouble != nil || ended || p.back.Asked() || onFailure(p.env, p.class) != v1alpha1.OnFailureRollback {
		return nil
	}
	back, good, why, err := r.wayBack(p)
	if err != nil {
		return err
	}
	if why != "" {
		p.stays = "; not rolled back: " + why
		return nil
	}
	if err := r.tellRun(ctx, p, engine.Fit(p.outcome.Services, engine.StoryLimit)); err != nil {
		return err
	}
	p.back = p.rollback(back, good.Name)
	if len(p.back.Services) == 0 {
		p.source, p.sources = good.Spec.Source, good.Spec.Sources
	}
	p.plan = back.Plan
	p.memory.back = back.Plan
	if err := r.begin(ctx, p, p.memory.run); err != nil {
		return err
	}
	p.tellRetreat(ctx)
	p.memory.toldAt = r.clock.Now()
	r.after(p.key, 0)
	return errWait
}

// wayBack finds the plan to go back to and the run that wrote it; why says that there is
// none.
func (r *Reconciler) wayBack(p *pass) (back engine.Retreat, good *v1alpha1.EnvironmentRun, why string, err error) {
	all, err := r.ofEnvironment(p.env)
	if err != nil {
		return back, nil, "", err
	}
	good = lastGood(all, p.run.Spec.Number)
	if good == nil {
		return back, nil, "no earlier run was ready", nil
	}
	if len(good.Spec.Snapshot) == 0 {
		return back, nil, noCopy(good), nil
	}
	before, err := p.memory.unpack(good)
	if err != nil {
		return back, nil, fmt.Sprintf("what run %s wrote cannot be read: %v", good.Name, err), nil
	}
	back, why = engine.RollBack(p.outcome.Services, p.plan, before, rollbackScope(p.env, p.class))
	return back, good, why, nil
}

func noCopy(run *v1alpha1.EnvironmentRun) string {
	return fmt.Sprintf("run %s keeps no copy of what it wrote; it would take more than %d KiB, or an older Spock wrote it", run.Name, plan.SnapshotLimit>>10)
}

// lastGood is the newest run before a number that ended Ready; nil when there is none.
func lastGood(all []*v1alpha1.EnvironmentRun, before int64) *v1alpha1.EnvironmentRun {
	for _, run := range slices.Backward(all) {
		if run.Spec.Number < before && run.Done() && run.Status.Phase == v1alpha1.PhaseReady {
			return run
		}
	}
	return nil
}

// rollback is what the next run says of itself. One that follows another rollback, of a
// service that failed later, is about the same request.
func (p *pass) rollback(back engine.Retreat, to string) *v1alpha1.Rollback {
	name, cause := engine.FirstFailure(p.outcome.Services)
	rb := &v1alpha1.Rollback{From: p.run.Name, To: to, Services: back.Services, PlanDigest: p.plan.Digest, Service: name, Cause: cause}
	if last := p.run.Spec.Rollback; last != nil {
		rb.From, rb.PlanDigest, rb.Service, rb.Cause = last.From, last.PlanDigest, last.Service, last.Cause
		for _, s := range last.Services {
			if len(rb.Services) > 0 && !slices.Contains(rb.Services, s) {
				rb.Services = append(rb.Services, s)
			}
		}
	}
	return rb
}

// tellRetreat tells that the way back begins. The clocks of the run that failed are not
// those of the next one.
func (p *pass) tellRetreat(ctx context.Context) {
	services := engine.Fit(p.outcome.Services, engine.StoryLimit)
	p.env.Status.Services = make([]v1alpha1.ServiceStatus, 0, len(services))
	for i := range services {
		s := *services[i].DeepCopy()
		s.StartedAt, s.ReadyAt, s.ProgressAt = nil, nil, nil
		p.env.Status.Services = append(p.env.Status.Services, s)
	}
	message := goingBack(p.back) + ", since " + sinceFailure(p.back)
	p.env.MarkProgressing(message)
	if recorder := controller.GetEventRecorder(ctx); recorder != nil {
		recorder.Event(p.env, corev1.EventTypeWarning, v1alpha1.ReasonRollingBack, message)
	}
}

// restored makes the plan of a run that rolls back the one of this pass.
func (p *pass) restored(run *v1alpha1.EnvironmentRun) error {
	p.back = run.Spec.Rollback
	if p.back == nil {
		return nil
	}
	back, err := p.memory.unpack(run)
	if err != nil {
		return invalid(fmt.Errorf("run %s: %w; ask for another attempt, with another run.attempt", run.Name, err))
	}
	p.plan = back
	return nil
}

// unpack is the plan that a run keeps; the last one is remembered.
func (m *memory) unpack(run *v1alpha1.EnvironmentRun) (*plan.Plan, error) {
	if m.back != nil && m.back.Digest == run.Spec.PlanDigest {
		return m.back, nil
	}
	back, err := plan.FromSnapshot(run.Spec.Snapshot, run.Spec.PlanDigest)
	if err != nil {
		return nil, err
	}
	m.back = back
	return back, nil
}

// what a rollback is about.
func what(rb *v1alpha1.Rollback) string {
	if len(rb.Services) == 0 {
		return ""
	}
	return "service " + strings.Join(rb.Services, ", ") + " "
}

func goingBack(rb *v1alpha1.Rollback) string { return what(rb) + "goes back to run " + rb.To }

func wentBack(rb *v1alpha1.Rollback) string { return what(rb) + "rolled back to run " + rb.To }

// sinceFailure says why there was a rollback.
func sinceFailure(rb *v1alpha1.Rollback) string {
	return fmt.Sprintf("service %s failed in run %s: %s: %s", rb.Service, rb.From, rb.Cause.Class, rb.Cause.Sentence())
}
