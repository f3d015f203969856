package customrun

import (
	"context"
	"fmt"
	"strings"

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
		return r.followTeardown(p, env)
	}
	return r.followDeploy(p, env)
}

// environment reads the lister, and the cluster where the lister may only lag behind.
// It returns nil when the environment of this attempt is gone.
func (r *Reconciler) environment(ctx context.Context, p *pass, name string) (*v1alpha1.Environment, error) {
	env, err := r.environments.Environments(p.run.Namespace).Get(name)
	if apierrors.IsNotFound(err) && p.record.Kind == KindDeploy {
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

func (r *Reconciler) followTeardown(p *pass, env *v1alpha1.Environment) error {
	name := p.record.Request.Environment
	if env == nil {
		p.record.Seen.Phase, p.record.Seen.Message = "Gone", "environment "+name+" is gone"
		return p.succeed(p.record.Seen.Message)
	}
	p.see(env)
	p.running(fmt.Sprintf("environment %s: %s", name, env.Status.Message))
	return nil
}

func (r *Reconciler) followDeploy(p *pass, env *v1alpha1.Environment) error {
	name := p.record.Request.Environment
	if env == nil {
		return p.fail(ReasonSuperseded, fmt.Sprintf("environment %s was deleted while it was deployed", name))
	}
	if env.Generation > p.record.Generation || env.Status.ObservedGeneration > p.record.Generation {
		return r.overtaken(p, env)
	}
	if env.Status.ObservedGeneration < p.record.Generation {
		p.running(fmt.Sprintf("environment %s: waiting for the engine", name))
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
	return r.failAttempt(p, "Failed", sentence(env))
}

// overtaken ends a deploy whose environment was changed by somebody else: well when its
// own EnvironmentRun had ended well.
func (r *Reconciler) overtaken(p *pass, env *v1alpha1.Environment) error {
	all, err := r.history.EnvironmentRuns(env.Namespace).List(labels.SelectorFromSet(labels.Set{v1alpha1.LabelEnvironment: env.Name}))
	if err != nil {
		return fmt.Errorf("list the runs of environment %s: %w", env.Name, err)
	}
	for _, run := range all {
		if run.Spec.EnvironmentUID == string(env.UID) && run.Spec.Generation == p.record.Generation && run.Status.Phase == v1alpha1.PhaseReady {
			p.see(env)
			return p.succeed(fmt.Sprintf("environment %s: run %s was ready; it has been changed since", env.Name, run.Name))
		}
	}
	return p.fail(ReasonSuperseded, fmt.Sprintf("environment %s was changed by somebody else before it was ready (generation %d, this run wrote %d)", env.Name, env.Generation, p.record.Generation))
}

// sentence is what lists and dashboards show of a rollout.
func sentence(env *v1alpha1.Environment) string {
	s := fmt.Sprintf("environment %s (%s): %s", env.Name, env.Spec.Class, env.Status.Message)
	if env.Status.Phase == v1alpha1.PhaseReady && env.Status.URL != "" {
		s += " at " + env.Status.URL
	}
	if hint := firstHint(env.Status.Services); hint != "" {
		s += "; " + hint
	}
	return s
}

func firstHint(services []v1alpha1.ServiceStatus) string {
	for _, s := range services {
		if s.State == v1alpha1.ServiceFailed && s.Cause != nil {
			return s.Cause.Hint
		}
	}
	return ""
}

// deployed is the images as `name=image` entries, joined so that no reader takes them
// for a JSON array.
func deployed(services []v1alpha1.ServiceStatus) string {
	var entries []string
	for _, s := range services {
		if s.Image != "" {
			entries = append(entries, s.Name+"="+s.Image)
		}
	}
	return strings.Join(entries, ",")
}
