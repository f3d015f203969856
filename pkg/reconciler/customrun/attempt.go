package customrun

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/deploy"
)

// start sets the start of the attempt by our own clock.
func (r *Reconciler) start(ctx context.Context, p *pass) error {
	if p.run.Status.GetCondition(apis.ConditionSucceeded) == nil {
		p.run.Status.MarkCustomRunRunning(v1beta1.CustomRunReasonStarted.String(), "")
	}
	if p.run.Status.StartTime != nil {
		return nil
	}
	now := metav1.NewTime(p.now)
	p.run.Status.StartTime = &now
	if p.run.GetRetryCount() == 0 {
		p.record.Trace = r.parentSpan(ctx, p.run)
	}
	return nil
}

// cancel ends a run that was asked to stop. The word of who asked is passed on, since
// Tekton tells a timeout of the pipeline from a cancellation by it.
func (r *Reconciler) cancel(ctx context.Context, p *pass) error {
	if !p.run.IsCancelled() {
		return nil
	}
	message := string(p.run.Spec.StatusMessage)
	if message == "" {
		message = "the CustomRun was cancelled"
	}
	return r.giveUp(ctx, p, v1beta1.CustomRunReasonCancelled.String(), message)
}

// late ends an attempt whose time was over before it could ask for anything.
func (r *Reconciler) late(ctx context.Context, p *pass) error {
	if p.record.Generation != 0 {
		return nil
	}
	return r.expire(ctx, p)
}

// expire ends an attempt whose time is over, and asks to be woken when it will be.
func (r *Reconciler) expire(ctx context.Context, p *pass) error {
	limit := p.run.GetTimeout()
	if limit == 0 {
		return nil
	}
	elapsed := p.now.Sub(p.run.Status.StartTime.Time)
	if elapsed < limit {
		r.after(p.key, limit-elapsed)
		return nil
	}
	message := fmt.Sprintf("not done within %s", limit)
	if last := p.message(); last != "" {
		message += ": " + last
	}
	reason := v1beta1.CustomRunReasonTimedOut.String()
	if p.run.GetRetryCount() < p.run.Spec.Retries {
		return p.failAttempt(reason, message)
	}
	return r.giveUp(ctx, p, reason, message)
}

// giveUp ends the CustomRun before its work is done. Who took the right to stop it from
// the service account must not keep the CustomRun from ending.
func (r *Reconciler) giveUp(ctx context.Context, p *pass, reason, message string) error {
	stopped, err := r.stop(ctx, p)
	switch {
	case apierrors.IsForbidden(err):
		stopped = "the rollout goes on: " + oneLine(err)
	case err != nil:
		return err
	}
	return p.fail(reason, joined(message, stopped))
}

// joined adds what became of the rollout to a message that may say a part of it already,
// and that may be a sentence of Tekton's.
func joined(message, stopped string) string {
	if what, where, found := strings.Cut(stopped, ": "); found && strings.Contains(message, where) {
		stopped = what
	}
	switch {
	case stopped == "":
		return message
	case strings.HasSuffix(message, "."):
		return message + " " + stopped
	}
	return message + "; " + stopped
}

// act asks for the work, as the run's service account: who may not write the
// Environment by hand may not do it through us.
func (r *Reconciler) act(ctx context.Context, p *pass) error {
	if p.record.Generation != 0 {
		return nil
	}
	client, err := r.clients(p.run.Namespace, p.record.Request.ServiceAccount)
	if err != nil {
		return err
	}
	if p.record.Kind == KindTeardown {
		return r.remove(ctx, p, client.SpockV1alpha1().Environments(p.run.Namespace).Delete)
	}
	request := *p.record.Request
	request.Attempt = attemptName(p)
	env, err := deploy.Apply(ctx, client, request)
	switch {
	case apierrors.IsForbidden(err):
		return p.fail(ReasonRefused, fmt.Sprintf("%s; let service account %s get, create and patch environments, for example by the ClusterRole edit", oneLine(err), request.ServiceAccount))
	case final(err):
		return p.fail(ReasonRefused, oneLine(err))
	case err != nil:
		return err
	}
	p.record.EnvironmentUID, p.record.Generation = env.UID, env.Generation
	return nil
}

// attemptName is unlike that of a run of the same name before, which may be what failed.
func attemptName(p *pass) string {
	uid := string(p.run.UID)
	return fmt.Sprintf("%s-%s-%d", p.run.Name, uid[:min(8, len(uid))], p.record.Attempt)
}

// final says whether the same request is answered in the same way for ever.
func final(err error) bool {
	return errors.Is(err, deploy.ErrRefused) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err)
}
