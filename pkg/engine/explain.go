package engine

import (
	"context"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// logLines is how much of a container's log a cause keeps.
const logLines = 50

// explain adds to each cause the last lines of the container that shows it. It is asked
// once per cause.
func (e *Engine) explain(ctx context.Context, task Task, d *Decision) {
	for i := range d.Services {
		s := &d.Services[i]
		evidence, ok := d.Evidence[s.Name]
		if !ok || s.Cause == nil {
			continue
		}
		if last := find(task.Record, s.Name); last != nil && last.Cause != nil && last.Cause.Log != "" && last.Cause.Message == s.Cause.Message {
			s.Cause.Log = last.Cause.Log
			continue
		}
		// What cannot be read must not hide the cause it would illustrate.
		if text, err := e.Target.Log(ctx, task.Scope, evidence.Pod, evidence.Container, evidence.Previous, logLines); err == nil {
			s.Cause.Log = text
		}
	}
	if d.Phase == v1alpha1.PhaseFailed {
		d.Message = failure(d.Services)
	}
}
