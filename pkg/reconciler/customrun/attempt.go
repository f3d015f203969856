package customrun

import (
	"context"
	"errors"
	"fmt"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/deploy"
)

// start sets the start of the attempt by our own clock.
func (r *Reconciler) start(_ context.Context, p *pass) error {
	if p.run.Status.StartTime == nil {
		now := metav1.NewTime(r.clock.Now())
		p.run.Status.StartTime = &now
		if p.run.GetRetryCount() == 0 {
			p.run.Status.InitializeConditions()
		}
	}
	return nil
}

// cancel ends a run that was asked to stop. The word of who asked is passed on, since
// Tekton tells a timeout of the pipeline from a cancellation by it.
func (r *Reconciler) cancel(ctx context.Context, p *pass) error {
	if !p.run.IsCancelled() {
		return nil
	}
	if err := r.stop(ctx, p); err != nil {
		return err
	}
	message := string(p.run.Spec.StatusMessage)
	if message == "" {
		message = "the CustomRun was cancelled"
	}
	return p.fail(v1beta1.CustomRunReasonCancelled.String(), message)
}

// expire ends an attempt whose time is over, and asks to be woken when it will be.
func (r *Reconciler) expire(ctx context.Context, p *pass) error {
	limit := p.run.GetTimeout()
	if limit == 0 {
		return nil
	}
	elapsed := r.clock.Since(p.run.Status.StartTime.Time)
	if elapsed < limit {
		r.after(p.key, limit-elapsed)
		return nil
	}
	message := fmt.Sprintf("not done within %s", limit)
	if p.record.Seen.Message != "" {
		message += ": " + p.record.Seen.Message
	}
	if p.run.GetRetryCount() >= p.run.Spec.Retries {
		if err := r.stop(ctx, p); err != nil {
			return err
		}
	}
	return r.failAttempt(p, v1beta1.CustomRunReasonTimedOut.String(), message)
}

// act asks for the work, as the run's service account: who may not write the
// Environment by hand may not do it through us.
func (r *Reconciler) act(ctx context.Context, p *pass) error {
	if p.record.Generation != 0 {
		return nil
	}
	client, err := r.clients(p.run.Namespace, p.serviceAccount())
	if err != nil {
		return err
	}
	if p.record.Kind == KindTeardown {
		return r.remove(ctx, p, client.SpockV1alpha1().Environments(p.run.Namespace).Delete)
	}
	request := *p.record.Request
	request.Attempt = fmt.Sprintf("%s-%d", p.run.Name, p.record.Attempt)
	env, err := deploy.Apply(ctx, client, request)
	switch {
	case errors.Is(err, deploy.ErrRefused), apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return p.fail(ReasonRefused, oneLine(err))
	case err != nil:
		return err
	}
	p.record.EnvironmentUID, p.record.Generation = env.UID, env.Generation
	return nil
}

type deleteFunc func(ctx context.Context, name string, options metav1.DeleteOptions) error

func (r *Reconciler) remove(ctx context.Context, p *pass, remove deleteFunc) error {
	name := p.record.Request.Environment
	env, err := r.client.SpockV1alpha1().Environments(p.run.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return p.succeed("there is no environment " + name)
	}
	if err != nil {
		return fmt.Errorf("get environment %s: %w", name, err)
	}
	err = remove(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &env.UID}})
	switch {
	case apierrors.IsForbidden(err):
		return p.fail(ReasonRefused, err.Error())
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("delete environment %s: %w", name, err)
	}
	p.record.EnvironmentUID, p.record.Generation = env.UID, env.Generation
	return nil
}

// stop halts the rollout that this run asked for, unless it is over or somebody else's
// by now. A teardown cannot be halted: its deletion is under way.
func (r *Reconciler) stop(ctx context.Context, p *pass) error {
	if p.record.Kind != KindDeploy || p.record.Generation == 0 {
		return nil
	}
	env, err := r.client.SpockV1alpha1().Environments(p.run.Namespace).Get(ctx, p.record.Request.Environment, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get environment %s: %w", p.record.Request.Environment, err)
	}
	p.see(env)
	if env.UID != p.record.EnvironmentUID || env.Generation != p.record.Generation || deploy.Settled(env, env.Generation) {
		return nil
	}
	client, err := r.clients(p.run.Namespace, p.serviceAccount())
	if err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q},"spec":{"suspend":true}}`, env.UID, env.ResourceVersion)
	_, err = client.SpockV1alpha1().Environments(env.Namespace).Patch(ctx, env.Name, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: deploy.FieldManager})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("suspend environment %s: %w", env.Name, err)
	}
	return nil
}
