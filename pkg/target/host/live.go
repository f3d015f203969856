package host

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// logLines is how much of the journal a cause keeps.
const logLines = 30

// objectOf is a record as an object, with a status.
func objectOf(r Record, status map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	var spec map[string]any
	if json.Unmarshal(r.Spec, &spec) == nil && spec != nil {
		o.Object["spec"] = spec
	}
	o.SetGroupVersionKind(Kind)
	o.SetName(r.Name)
	o.SetUID(types.UID(r.UID))
	o.SetLabels(r.Labels)
	o.SetAnnotations(r.Annotations)
	return o
}

// live is a service as its machine tells of it. What somebody did to it by hand shows as
// a field of its spec that is not as wanted.
func (t *Target) live(id string, told Told, sight Sight, machine types.NamespacedName) *unstructured.Unstructured {
	state := told.Unit.State()
	status := map[string]any{"phase": string(state), "message": sentence(told.Unit, machine.Name)}
	switch {
	case !sight.Connected:
		cause := causeOf(sight.Failure)
		status["phase"], status["message"], status["cause"] = string(Failed), cause.Message, causeMap(cause)
	case state == Failed:
		status["cause"] = causeMap(t.death(id, told.Unit, machine.Name))
	}
	o := objectOf(told.Record, status)
	if spec, ok := o.Object["spec"].(map[string]any); ok && sight.Connected {
		spec["running"], spec["intact"] = state != Stopped, !told.Unit.Edited
	}
	return o
}

func sentence(u Unit, machine string) string {
	switch u.State() {
	case Running:
		return "runs on host " + machine
	case Starting:
		if u.Restarts > 0 {
			return fmt.Sprintf("starts again on host %s: %s", machine, u.Why())
		}
		return "starts on host " + machine
	default:
		return fmt.Sprintf("host %s: %s", machine, u.Why())
	}
}

// death is the cause of a unit that failed.
func (t *Target) death(id string, u Unit, machine string) *v1alpha1.Cause {
	c := &v1alpha1.Cause{Class: v1alpha1.CauseCrashLoop, Message: fmt.Sprintf("host %s: %s", machine, u.Why()), Object: Kind.Kind + "/" + id,
		Hint: "look at its last lines, correct what they complain about, and deploy again"}
	switch u.Result {
	case "oom-kill":
		c.Class, c.Hint = v1alpha1.CauseOutOfMemory, "raise host.limits.memory of the template"
	case "timeout":
		c.Class, c.Hint = v1alpha1.CauseProbe, "see that it listens where its readiness asks, or raise host.startSeconds of the template"
	case "exit-code":
		code := int32(u.Status) //nolint:gosec // an exit code is small
		c.ExitCode = &code
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c.Log = t.logs[logKey(id, u)]
	return c
}

func logKey(id string, u Unit) string { return id + " " + u.Invocation }

// readLogs reads the last lines of services that have failed, once per start.
func (t *Target) readLogs(name types.NamespacedName, sight Sight) {
	m := t.fleet.machine(name)
	for id, told := range sight.Services {
		if m == nil || told.Unit.State() != Failed || !t.claimLog(logKey(id, told.Unit)) {
			continue
		}
		go func() {
			conn := m.connection()
			if conn == nil {
				return
			}
			ctx, stop := context.WithTimeout(t.ctx, answerWithin)
			defer stop()
			lines, err := conn.Journal(ctx, id, logLines, "")
			if err != nil {
				return // what cannot be read must not hide the cause it would illustrate
			}
			t.mu.Lock()
			t.logs[logKey(id, told.Unit)] = tail(lines)
			t.mu.Unlock()
			t.changed(environmentOf(told.Record.Labels))
		}()
	}
}

// maxLogs bounds what is remembered; they can be read again.
const maxLogs = 1000

func (t *Target) claimLog(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.logs[key]; known {
		return false
	}
	if len(t.logs) > maxLogs {
		clear(t.logs)
	}
	t.logs[key] = ""
	return true
}

// tail is the end of a log that is worth keeping in a status.
func tail(text string) string {
	const most = 8 << 10
	return strings.ToValidUTF8(text[max(0, len(text)-most):], "")
}
