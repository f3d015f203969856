package environment

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// The bounds of the pause between two statuses that only show progress.
const (
	tellEvery  = time.Second
	tellLatest = 5 * time.Second
)

// pause follows from what a status costs and what it is worth. To the API server a status is
// work by its length, and it has that of all environments on their way to do: a second for
// each hundred services. To who watches, the first seconds of a run tell more than later
// ones: a sixth of what has passed.
func pause(moving int64, running time.Duration) time.Duration {
	return min(max(tellEvery, time.Duration(moving)*time.Second/100, running/6), tellLatest)
}

// smooth holds a status back that only shows progress and comes too soon after the
// last one.
func (r *Reconciler) smooth(p *pass) {
	r.hold(p, pause(r.memories.moving.Load(), r.clock.Since(p.run.CreationTimestamp.Time)), p.hasNews())
}

// tellEnd tells how far a teardown is, as seldom as any progress.
func (r *Reconciler) tellEnd(p *pass, message string) {
	p.env.MarkTerminating(message)
	every := pause(int64(len(p.env.Status.Services)), r.clock.Since(p.env.DeletionTimestamp.Time))
	r.hold(p, every, p.told.Phase != v1alpha1.PhaseTerminating)
}

// hold leaves what was told standing, unless there is news or the last status is so long ago.
// Nothing is lost: the next one comes when it is time.
func (r *Reconciler) hold(p *pass, every time.Duration, news bool) {
	if equality.Semantic.DeepEqual(p.env.Status, p.told) {
		return
	}
	wait := every - r.clock.Since(p.memory.toldAt)
	if news || wait <= 0 {
		p.memory.toldAt = r.clock.Now()
		return
	}
	p.env.Status = p.told
	r.after(p.key, wait)
}

// onTheirWay counts the services of which a status of progress tells.
func onTheirWay(env *v1alpha1.Environment) int64 {
	if env.Status.Phase != v1alpha1.PhaseProgressing {
		return 0
	}
	return int64(len(env.Status.Services))
}

// hasNews says whether the status tells more than progress.
func (p *pass) hasNews() bool {
	return p.env.Status.Phase != p.told.Phase || p.env.Status.Run != p.told.Run ||
		p.told.ObservedGeneration != p.env.Generation || failsAnew(p.told.Services, p.env.Status.Services) || p.driftIsNews()
}

// failsAnew says whether a service has failed, or has another cause, since it was last told.
func failsAnew(told, now []v1alpha1.ServiceStatus) bool {
	known := map[string]v1alpha1.CauseClass{}
	for i := range told {
		known[told[i].Name] = classOf(&told[i])
	}
	return slices.ContainsFunc(now, func(s v1alpha1.ServiceStatus) bool {
		class := classOf(&s)
		return class != "" && class != known[s.Name]
	})
}

// classOf is the class of why a service has failed; empty when it has not.
func classOf(s *v1alpha1.ServiceStatus) v1alpha1.CauseClass {
	if s.State != v1alpha1.ServiceFailed || s.Cause == nil {
		return ""
	}
	return s.Cause.Class
}
