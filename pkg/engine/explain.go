package engine

import (
	"cmp"
	"context"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// logLines is how much of a container's log a cause keeps.
const logLines = 50

// explain adds to each cause what illustrates it: the last lines of the container that
// shows it, or the room that nodes have. It is asked once per cause.
func (e *Engine) explain(ctx context.Context, task Task, d *Decision) {
	for i := range d.Services {
		s := &d.Services[i]
		evidence, ok := d.Evidence[s.Name]
		if !ok || s.Cause == nil {
			continue
		}
		if last := find(task.Record, s.Name); last != nil && last.Cause != nil && illustrated(last.Cause) && last.Cause.Message == s.Cause.Message {
			s.Cause.Log = last.Cause.Log
			s.Cause.Answer = cmp.Or(s.Cause.Answer, last.Cause.Answer)
			continue
		}
		e.illustrate(ctx, task, s.Cause, evidence)
	}
	if d.Phase == v1alpha1.PhaseFailed {
		d.Message = failure(d.Services)
	}
}

// illustrated says that what was to be asked has been answered. What a probe got is told
// by itself.
func illustrated(c *v1alpha1.Cause) bool {
	return c.Log != "" || c.Class == v1alpha1.CauseUnschedulable && c.Answer != ""
}

// illustrate asks the target. What cannot be read must not hide the cause it would
// illustrate.
func (e *Engine) illustrate(ctx context.Context, task Task, cause *v1alpha1.Cause, evidence health.Evidence) {
	if evidence.Short != "" {
		if room, err := e.Target.Room(ctx, task.Scope, evidence.Pod, evidence.Short); err == nil {
			cause.Answer = room
		}
		return
	}
	if text, err := e.Target.Log(ctx, task.Scope, evidence.Pod, evidence.Container, evidence.Previous, logLines); err == nil {
		cause.Log = text
	}
}
