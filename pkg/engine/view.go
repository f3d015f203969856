package engine

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// view is what a node's own objects look like, whatever it waits for.
type view struct {
	// settled: all objects are as wanted, and ready.
	settled bool
	// written: all objects are there as wanted.
	written bool
	// missing objects are to be written.
	missing []plan.Object
	// retry are jobs of an earlier run, failed or on their way, that must go first.
	retry []Deletion
	// going: an object must be gone before it can be written again.
	going bool
	// message says what it is doing.
	message string
	// trouble it has that is no failure yet.
	trouble *v1alpha1.Cause
	// cause of a failure.
	cause *v1alpha1.Cause
	// overdue: the cause is that a clock has run out.
	overdue bool
	// gate the node waits for, when the view is a hook's.
	gate gate
}

// look sees how far a node's own objects are.
func (k *walk) look(n plan.Node) view {
	v := view{settled: true, written: true}
	if cause, ok := k.bad[n.Service]; ok {
		return view{cause: &cause}
	}
	if key, ok := k.going[n.Service]; ok {
		v.goes(key)
	}
	for _, o := range n.Objects {
		k.lookAt(&v, n, o)
	}
	if key, ok := k.unsent[n.Service]; ok {
		v.written = false
		if v.settled {
			v.settled, v.message = false, fmt.Sprintf("writes %s", key)
		}
	}
	k.lookForEarlier(&v, n)
	if v.settled || v.cause != nil || len(v.missing)+len(v.retry) > 0 {
		return v
	}
	k.lookAtPods(&v, n)
	if v.cause == nil {
		k.lookAtClocks(&v, n)
	}
	return v
}

func (k *walk) lookAt(v *view, n plan.Node, o plan.Object) {
	live := k.world.State.Objects[o.Key]
	switch {
	case live != nil && live.GetDeletionTimestamp() != nil:
		v.goes(o.Key)
	case k.matches(o) && !k.heals(o):
		k.lookAtHealth(v, n, o, live)
	case k.deleted(o):
		v.settled, v.written = false, false
		v.cause = k.goneCause(o)
	default:
		v.settled, v.written = false, false
		if r, ok := k.refusal(o); ok {
			cause := r.Cause
			v.cause = &cause
			return
		}
		v.missing = append(v.missing, o)
	}
}

// lookAtHealth judges an object that carries our hash: its generation is that of our
// own write or a later one, so an older status cannot pass for ready.
func (k *walk) lookAtHealth(v *view, n plan.Node, o plan.Object, live *unstructured.Unstructured) {
	verdict := health.Of(live, n.Ready)
	if verdict.State == health.Ready {
		return
	}
	v.settled = false
	v.message = verdict.Message
	if verdict.State != health.Failed {
		return
	}
	if o.Kind == "Job" && target.Annotation(live, v1alpha1.AnnotationRun) != k.world.Scope.Run {
		v.written = false
		v.retry = append(v.retry, Deletion{Key: o.Key, UID: live.GetUID()})
		v.message = fmt.Sprintf("runs %s again", o.Key)
		return
	}
	v.cause = verdict.Cause
	k.lookIntoPods(v, n, o.Kind == "Job")
}

func (v *view) goes(key plan.Key) {
	v.settled, v.written, v.going = false, false, true
	v.message = fmt.Sprintf("waits for the old %s to go", key)
}

// lookAtClocks fails a service that this run wrote and that takes too long.
func (k *walk) lookAtClocks(v *view, n plan.Node) {
	r := k.record[n.Service]
	if r == nil || r.StartedAt == nil || r.ReadyAt != nil {
		return
	}
	moved := k.now
	if r.ProgressAt != nil && strings.HasSuffix(r.Message, v.message) {
		moved = r.ProgressAt.Time
	}
	clocks := k.world.clocks(n.Service)
	stalled, late := moved.Add(clocks.NoProgress), r.StartedAt.Add(clocks.Deadline)
	switch {
	case !k.now.Before(late):
		k.expire(v, n, v1alpha1.CauseDeadline, fmt.Sprintf("not ready %s after it was written", clocks.Deadline))
	case !k.now.Before(stalled):
		k.expire(v, n, v1alpha1.CauseNoProgress, fmt.Sprintf("no progress for %s", clocks.NoProgress))
	}
}

// expire fails a service whose time is over. Its message ends with what it waits for, by
// which lookAtClocks sees whether it moves after all.
func (k *walk) expire(v *view, n plan.Node, class v1alpha1.CauseClass, over string) {
	v.overdue = true
	v.cause = &v1alpha1.Cause{
		Class: class, Message: over + ": " + v.message,
		Hint: "look at the service's log; if it only needs more time, raise deadlineSeconds or noProgressSeconds of the environment's class",
	}
	if probe, evidence := k.unprobed(n); probe != nil {
		v.cause.Class, v.cause.Object, v.cause.Hint, v.cause.Answer = probe.Class, probe.Object, probe.Hint, probe.Answer
		k.show(n, evidence)
	}
}
