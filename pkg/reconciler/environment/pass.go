package environment

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
)

// pass is one reconciliation of one environment.
type pass struct {
	key    types.NamespacedName
	env    *v1alpha1.Environment
	before v1alpha1.Phase // the phase last told
	told   v1alpha1.EnvironmentStatus
	scope  target.Scope
	memory *memory

	class   *v1alpha1.EnvironmentClass
	product *v1alpha1.Product
	plan    *plan.Plan
	run     *v1alpha1.EnvironmentRun
	outcome engine.Outcome
	// back is set while the plan is not what the spec asks for, but what ran before.
	back *v1alpha1.Rollback
	// source of what is deployed.
	source string
	// sources are what manifests were read from, outside of the templates.
	sources []v1alpha1.RunSource
	// madeFrom stands for all that the plan of the spec is made from.
	madeFrom string
	// placesAt is the version of the places that the plan is made with.
	placesAt int
	// stays says why a failure is not rolled back, though it should be.
	stays string
	// trouble is what kept a write from being done, and may pass.
	trouble error
}

func (r *Reconciler) newPass(env *v1alpha1.Environment) *pass {
	key := types.NamespacedName{Namespace: env.Namespace, Name: env.Name}
	source := ""
	if env.Spec.Run != nil {
		source = env.Spec.Run.Source
	}
	return &pass{
		source: source,
		key:    key, env: env, before: env.Status.Phase, told: *env.Status.DeepCopy(),
		memory: r.memories.of(key, env.UID),
		scope: target.Scope{
			Environment: key, UID: env.UID,
			Namespace:      scaffold.NamespaceOf(env),
			ServiceAccount: scaffold.ServiceAccountOf(env),
			Hosts:          env.Status.HostNamespace,
			Run:            env.Status.Run,
		},
	}
}

// finish turns the end of a pass into what the generated reconciler understands, and
// tells of a change of phase once.
func (p *pass) finish(err error) reconciler.Event {
	var wrong refusal
	switch {
	case errors.As(err, &wrong):
		p.env.MarkFailed(wrong.reason, lines(wrong.Error(), refusalLimit))
	case errors.Is(err, errWait):
	case err != nil:
		p.untold(err)
		return err
	}
	if p.env.Status.Phase == p.before {
		return nil
	}
	switch p.env.Status.Phase {
	case v1alpha1.PhaseReady:
		return reconciler.NewEvent(corev1.EventTypeNormal, v1alpha1.ReasonReady, "%s", p.env.Status.Message)
	case v1alpha1.PhaseFailed:
		reason := p.env.Status.GetCondition(apis.ConditionReady).GetReason()
		return reconciler.NewEvent(corev1.EventTypeWarning, reason, "%s", p.env.Status.Message)
	case v1alpha1.PhaseProgressing:
		return reconciler.NewEvent(corev1.EventTypeNormal, v1alpha1.ReasonProgressing, "run %s: %s", p.env.Status.Run, p.env.Status.Message)
	default:
		return nil
	}
}

// untold keeps what was told of an older generation from standing as the word on this one,
// when an error kept this pass from telling anything.
func (p *pass) untold(err error) {
	same := p.env.Status.Phase == p.told.Phase && p.env.Status.Message == p.told.Message
	if same && p.told.ObservedGeneration != p.env.Generation {
		p.env.MarkProgressing("trying again: " + lines(err.Error(), refusalLimit))
	}
}
