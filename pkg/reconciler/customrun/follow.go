package customrun

import (
	"context"
	"fmt"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"knative.dev/pkg/tracker"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// follow tells what became of the work. The environment's next change brings us back.
func (r *Reconciler) follow(ctx context.Context, p *pass) error {
	name := p.record.Request.Environment
	err := r.tracker.TrackReference(tracker.Reference{
		APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "Environment", Namespace: p.run.Namespace, Name: name,
	}, p.run)
	if err != nil {
		return fmt.Errorf("track environment %s: %w", name, err)
	}
	env, err := r.environment(ctx, p, name)
	if err != nil {
		return err
	}
	if p.record.Kind == KindTeardown {
		return p.followTeardown(env)
	}
	return r.followDeploy(ctx, p, env)
}

// environment reads the lister, and the cluster where the lister may only lag behind.
// It returns nil when the environment of this attempt is gone.
func (r *Reconciler) environment(ctx context.Context, p *pass, name string) (*v1alpha1.Environment, error) {
	env, err := r.environments.Environments(p.run.Namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && env.UID != p.record.EnvironmentUID {
		env, err = r.client.SpockV1alpha1().Environments(p.run.Namespace).Get(ctx, name, metav1.GetOptions{})
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("get environment %s: %w", name, err)
	case env.UID != p.record.EnvironmentUID:
		return nil, nil
	}
	return env, nil
}

func (r *Reconciler) followDeploy(ctx context.Context, p *pass, env *v1alpha1.Environment) error {
	request := p.record.Request
	if env == nil {
		return p.fail(ReasonSuperseded, fmt.Sprintf("environment %s was deleted while it was deployed", request.Environment))
	}
	if env.Generation > p.record.Generation {
		return r.overtaken(ctx, p, env)
	}
	if env.Status.ObservedGeneration < p.record.Generation {
		p.running(subject(request.Environment, request.Class, "") + "waiting for the engine")
		return nil
	}
	p.see(env)
	if !deploy.Settled(env, p.record.Generation) {
		p.running(sentence(env))
		return nil
	}
	if env.Status.Phase == v1alpha1.PhaseReady {
		return p.succeed(sentence(env))
	}
	return p.failAttempt(v1beta1.CustomRunReasonFailed.String(), sentence(env))
}

// overtaken ends a deploy whose environment was changed or deleted by somebody else:
// well when its own EnvironmentRun had ended well. That is read from the cluster, since
// the two listers do not move together.
func (r *Reconciler) overtaken(ctx context.Context, p *pass, env *v1alpha1.Environment) error {
	selector := labels.SelectorFromSet(labels.Set{v1alpha1.LabelEnvironment: env.Name})
	all, err := r.client.SpockV1alpha1().EnvironmentRuns(env.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return fmt.Errorf("list the runs of environment %s: %w", env.Name, err)
	}
	who := subject(env.Name, env.Spec.Class, env.Status.URL)
	for _, run := range all.Items {
		if run.Spec.EnvironmentUID == string(env.UID) && run.Spec.Generation == p.record.Generation && run.Spec.Rollback == nil && run.Status.Phase == v1alpha1.PhaseReady {
			p.see(env)
			p.seen.run, p.seen.phase, p.seen.services = run.Name, string(run.Status.Phase), deployed(run.Status.Services)
			return p.succeed(fmt.Sprintf("%srun %s was ready: %s; the environment has been changed since", who, run.Name, run.Status.Message))
		}
	}
	if env.DeletionTimestamp != nil {
		return p.fail(ReasonSuperseded, who+"it was deleted while it was deployed")
	}
	return p.fail(ReasonSuperseded, fmt.Sprintf("%ssomebody else changed it before it was ready (generation %d, this run wrote %d)", who, env.Generation, p.record.Generation))
}
