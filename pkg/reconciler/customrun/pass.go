package customrun

import (
	"fmt"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	runv1beta1 "github.com/tektoncd/pipeline/pkg/apis/run/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// record is what a CustomRun keeps in its extraFields: the request as it was read at
// the start, since the spec of a running CustomRun can be edited by anyone, and how
// far it got.
type record struct {
	// Kind of the custom task.
	Kind string `json:"kind,omitempty"`
	// Request as decoded at the start.
	Request *deploy.Request `json:"request,omitempty"`
	// Attempt counts from 1.
	Attempt int `json:"attempt,omitempty"`
	// EnvironmentUID and Generation of what this attempt wrote; zero before.
	EnvironmentUID types.UID `json:"environmentUID,omitempty"`
	Generation     int64     `json:"generation,omitempty"`
	// Seen is the state of the environment last seen, for the results.
	Seen seen `json:"seen"`
}

// seen is the part of an environment's state that becomes results.
type seen struct {
	Namespace string `json:"namespace,omitempty"`
	URL       string `json:"url,omitempty"`
	Run       string `json:"run,omitempty"`
	Phase     string `json:"phase,omitempty"`
	Message   string `json:"message,omitempty"`
	Services  string `json:"services,omitempty"`
}

// pass is one reconciliation of one CustomRun.
type pass struct {
	key    types.NamespacedName
	run    *v1beta1.CustomRun
	record record
	ended  bool
}

func (r *Reconciler) newPass(run *v1beta1.CustomRun) (*pass, error) {
	p := &pass{key: types.NamespacedName{Namespace: run.Namespace, Name: run.Name}, run: run}
	if err := run.Status.DecodeExtraFields(&p.record); err != nil {
		return nil, fmt.Errorf("decode the record of CustomRun %s: %w", p.key, err)
	}
	return p, nil
}

func (p *pass) serviceAccount() string {
	if p.run.Spec.ServiceAccountName == "" {
		return "default"
	}
	return p.run.Spec.ServiceAccountName
}

// running tells progress, in the words that lists and dashboards show.
func (p *pass) running(message string) {
	p.run.Status.MarkCustomRunRunning(v1beta1.CustomRunReasonRunning.String(), "%s", message)
}

// succeed ends the CustomRun well.
func (p *pass) succeed(message string) error {
	p.run.Status.MarkCustomRunSucceeded(v1beta1.CustomRunReasonSuccessful.String(), "%s", message)
	p.ended = true
	return errOver
}

// fail ends the CustomRun for good, whatever retries are left.
func (p *pass) fail(reason, message string) error {
	p.run.Status.MarkCustomRunFailed(reason, "%s", message)
	p.ended = true
	return errOver
}

// failAttempt ends the attempt, and the CustomRun when no retry is left.
func (r *Reconciler) failAttempt(p *pass, reason, message string) error {
	if p.run.GetRetryCount() >= p.run.Spec.Retries {
		return p.fail(reason, message)
	}
	p.run.Status.MarkCustomRunFailed(reason, "%s", message)
	p.run.Status.Results = p.results()
	past := *p.run.Status.DeepCopy()
	past.RetriesStatus = nil
	p.run.Status.RetriesStatus = append(p.run.Status.RetriesStatus, past)
	p.run.Status.StartTime, p.run.Status.CompletionTime = nil, nil
	p.record.Attempt++
	p.record.EnvironmentUID, p.record.Generation = "", 0
	p.run.Status.SetCondition(&apis.Condition{
		Type: apis.ConditionSucceeded, Status: corev1.ConditionUnknown, Reason: v1beta1.CustomRunReasonRunning.String(),
		Message: fmt.Sprintf("retry %d of %d after: %s", p.run.GetRetryCount(), p.run.Spec.Retries, message),
	})
	r.after(p.key, 0)
	return errOver
}

// results are all documented results, always: a result that is missing fails the
// pipeline that reads it.
func (p *pass) results() []runv1beta1.CustomRunResult {
	environment := ""
	if p.record.Request != nil {
		environment = p.record.Request.Environment
	}
	s := p.record.Seen
	all := []runv1beta1.CustomRunResult{
		{Name: "environment", Value: environment},
		{Name: "namespace", Value: s.Namespace},
		{Name: "url", Value: s.URL},
		{Name: "run", Value: s.Run},
		{Name: "phase", Value: s.Phase},
		{Name: "message", Value: s.Message},
		{Name: "services", Value: s.Services},
	}
	if p.record.Kind == KindTeardown {
		return []runv1beta1.CustomRunResult{all[0], all[4], all[5]}
	}
	return all
}

// event tells of the end once.
func (p *pass) event() reconciler.Event {
	if !p.ended {
		return nil
	}
	c := p.run.Status.GetCondition(apis.ConditionSucceeded)
	kind := corev1.EventTypeNormal
	if c.IsFalse() {
		kind = corev1.EventTypeWarning
	}
	return reconciler.NewEvent(kind, c.Reason, "%s", c.Message)
}

// see keeps what an environment looks like.
func (p *pass) see(env *v1alpha1.Environment) {
	s := &env.Status
	p.record.Seen = seen{
		Namespace: s.Namespace, URL: s.URL, Run: s.Run,
		Phase: string(s.Phase), Message: s.Message, Services: deployed(s.Services),
	}
}
