package customrun

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

type deleteFunc func(ctx context.Context, name string, options metav1.DeleteOptions) error

// remove deletes the environment. One that is not there is as good as removed.
func (r *Reconciler) remove(ctx context.Context, p *pass, remove deleteFunc) error {
	request := p.record.Request
	env, err := r.client.SpockV1alpha1().Environments(p.run.Namespace).Get(ctx, request.Environment, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		p.seen.phase = string(phaseGone)
		return p.succeed("there is no environment " + request.Environment)
	}
	if err != nil {
		return fmt.Errorf("get environment %s: %w", request.Environment, err)
	}
	err = remove(ctx, request.Environment, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &env.UID}})
	switch {
	case apierrors.IsForbidden(err):
		return p.fail(ReasonRefused, fmt.Sprintf("delete environment %s: %s; let service account %s delete environments, for example by the ClusterRole edit", request.Environment, oneLine(err), request.ServiceAccount))
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("delete environment %s: %w", request.Environment, err)
	}
	p.record.EnvironmentUID, p.record.Generation = env.UID, env.Generation
	return nil
}

func (p *pass) followTeardown(env *v1alpha1.Environment) error {
	name := p.record.Request.Environment
	if env == nil {
		p.seen = seen{phase: string(phaseGone)}
		return p.succeed("environment " + name + " is gone")
	}
	p.see(env)
	if env.Status.Phase != v1alpha1.PhaseTerminating {
		p.running(subject(name, env.Spec.Class, "") + "waiting for the engine to tear it down")
		return nil
	}
	p.running(subject(name, env.Spec.Class, "") + env.Status.Message)
	return nil
}
