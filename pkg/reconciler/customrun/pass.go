package customrun

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/deploy"
)

// record is what a CustomRun keeps in its extraFields: the request as it was read at
// the start, since the spec of a running CustomRun can be edited by anyone, and how
// far it got. It is as large as the params while the run is on its way (maxRequest),
// and below 8 KiB once it is over.
type record struct {
	// Kind of the custom task.
	Kind string `json:"kind,omitempty"`
	// Request as decoded at the start; without services and parameters once it is over.
	Request *deploy.Request `json:"request,omitempty"`
	// Attempt counts from 1.
	Attempt int `json:"attempt,omitempty"`
	// EnvironmentUID and Generation of what this attempt wrote; zero before.
	EnvironmentUID types.UID `json:"environmentUID,omitempty"`
	Generation     int64     `json:"generation,omitempty"`
	// Trace is the span context of the PipelineRun.
	Trace map[string]string `json:"trace,omitempty"`
}

// pass is one reconciliation of one CustomRun.
type pass struct {
	key    types.NamespacedName
	run    *v1beta1.CustomRun
	now    time.Time
	record record
	seen   seen
	ending *ending // of the attempt, when this pass ended it
}

func (r *Reconciler) newPass(run *v1beta1.CustomRun) (*pass, error) {
	p := &pass{
		key: types.NamespacedName{Namespace: run.Namespace, Name: run.Name},
		run: run, now: r.clock.Now(), seen: seenIn(run.Status.Results),
	}
	if err := run.Status.DecodeExtraFields(&p.record); err != nil {
		return p, fmt.Errorf("decode the record of CustomRun %s: %w", p.key, err)
	}
	return p, nil
}

// encode puts the record where it is kept. One that stands there already stays as the
// cluster has it, with its own order of fields: other bytes would be one more write.
func (p *pass) encode() error {
	var stored record
	err := p.run.Status.DecodeExtraFields(&stored)
	if err == nil && equality.Semantic.DeepEqual(stored, p.record) {
		return nil
	}
	if err := p.run.Status.EncodeExtraFields(p.record); err != nil {
		return fmt.Errorf("encode the record of CustomRun %s: %w", p.key, err)
	}
	return nil
}

// kind is the kind of the custom task, also before it is on record.
func (p *pass) kind() string {
	if p.record.Kind != "" {
		return p.record.Kind
	}
	_, kind := named(p.run)
	return kind
}

// running tells progress, in the words that lists and dashboards show.
func (p *pass) running(message string) {
	p.run.Status.MarkCustomRunRunning(v1beta1.CustomRunReasonRunning.String(), "%s", short(message))
}

// succeed ends the CustomRun well.
func (p *pass) succeed(message string) error {
	reason := v1beta1.CustomRunReasonSuccessful.String()
	p.run.Status.MarkCustomRunSucceeded(reason, "%s", short(message))
	return p.over(reason)
}

// fail ends the CustomRun for good, whatever retries are left.
func (p *pass) fail(reason, message string) error {
	p.run.Status.MarkCustomRunFailed(reason, "%s", short(message))
	return p.over(reason)
}

// over ends the attempt, and the CustomRun with it. What it takes to try again is not
// needed any more.
func (p *pass) over(reason string) error {
	p.complete()
	p.ending = p.end(reason)
	p.ending.final = true
	p.run.Status.Results = p.results(true)
	if p.record.Request != nil {
		kept := *p.record.Request
		kept.Services, kept.Parameters = nil, nil
		p.record.Request = &kept
	}
	return errOver
}

// failAttempt ends the attempt, and the CustomRun when no retry is left. Until then
// Tekton may not see Succeeded=False.
func (p *pass) failAttempt(reason, message string) error {
	if p.run.GetRetryCount() >= p.run.Spec.Retries {
		return p.fail(reason, message)
	}
	p.run.Status.MarkCustomRunFailed(reason, "%s", short(message))
	p.complete()
	p.ending = p.end(reason)
	p.run.Status.Results = p.results(false)
	past := *p.run.Status.DeepCopy()
	past.RetriesStatus = nil
	past.ExtraFields.Raw = nil // the request of the next attempt is the same
	p.run.Status.RetriesStatus = append(p.run.Status.RetriesStatus, past)
	p.run.Status.StartTime, p.run.Status.CompletionTime = nil, nil
	p.record.Attempt++
	p.record.EnvironmentUID, p.record.Generation = "", 0
	p.running(fmt.Sprintf("retry %d of %d after: %s", p.run.GetRetryCount(), p.run.Spec.Retries, message))
	return errOver
}

// complete sets the end by our own clock, as the start is.
func (p *pass) complete() {
	now := metav1.NewTime(p.now)
	p.run.Status.CompletionTime = &now
}

// message is what the condition says.
func (p *pass) message() string {
	if c := p.run.Status.GetCondition(apis.ConditionSucceeded); c != nil {
		return c.Message
	}
	return ""
}

// event tells of the end once.
func (p *pass) event() reconciler.Event {
	if p.ending == nil || !p.ending.final {
		return nil
	}
	c := p.run.Status.GetCondition(apis.ConditionSucceeded)
	kind := corev1.EventTypeNormal
	if c.IsFalse() {
		kind = corev1.EventTypeWarning
	}
	return reconciler.NewEvent(kind, c.Reason, "%s", c.Message)
}

// maxMessage bounds the messages of conditions and events, in bytes.
const maxMessage = 1000

// short cuts a message to its bound, between characters.
func short(message string) string {
	message = strings.ToValidUTF8(message, "?")
	if len(message) <= maxMessage {
		return message
	}
	cut := maxMessage - len("…")
	for !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + "…"
}
