package customrun

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// stop halts the rollout that this run asked for, unless it is over or somebody else's
// by now, and says what became of it.
func (r *Reconciler) stop(ctx context.Context, p *pass) (string, error) {
	if p.record.Request == nil || p.record.Generation == 0 {
		return "", nil
	}
	name := p.record.Request.Environment
	if p.record.Kind == KindTeardown {
		return fmt.Sprintf("the teardown of environment %s goes on, since a deletion cannot be halted", name), nil
	}
	env, err := r.client.SpockV1alpha1().Environments(p.run.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get environment %s: %w", name, err)
	}
	if !p.rollsOut(env) {
		return "", nil
	}
	p.see(env)
	if err := r.suspend(ctx, p, env); err != nil {
		return "", err
	}
	p.seen.phase = string(v1alpha1.PhaseSuspended)
	return "suspended where it stood: " + sentence(env), nil
}

// rollsOut says whether an environment is on its way to what this attempt wrote.
func (p *pass) rollsOut(env *v1alpha1.Environment) bool {
	return env.UID == p.record.EnvironmentUID && env.Generation == p.record.Generation &&
		env.DeletionTimestamp == nil && !deploy.Settled(env, env.Generation)
}

// suspend patches the very copy that was read: a deploy that came in between wins.
func (r *Reconciler) suspend(ctx context.Context, p *pass, env *v1alpha1.Environment) error {
	client, err := r.clients(p.run.Namespace, p.record.Request.ServiceAccount)
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
