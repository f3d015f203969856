package environment

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

// driftPolicy is what is done about drift: the environment has the first word, its class
// the second.
func driftPolicy(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) v1alpha1.DriftPolicy {
	return cmp.Or(env.Spec.Drift, class.Spec.Drift, v1alpha1.DriftHeal)
}

// broughtUp are the services that a run has brought up, once it has ended.
func broughtUp(run *v1alpha1.EnvironmentRun) map[string]bool {
	up := map[string]bool{}
	if !run.Done() {
		return up
	}
	for i := range run.Status.Services {
		s := &run.Status.Services[i]
		up[s.Name] = s.State == v1alpha1.ServiceReady
	}
	return up
}

// driftsTold is how many objects a sentence about drift names.
const driftsTold = 8

// drifted tells in a sentence what is not as it was written and stays so; empty when
// there is nothing.
func drifted(all []engine.Drift) string {
	var parts []string
	more := 0
	for _, d := range all {
		switch {
		case d.Healing:
		case len(parts) == driftsTold:
			more++
		default:
			parts = append(parts, fmt.Sprintf("%s, and stays so: %s", d, d.Stays))
		}
	}
	if more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more objects", more))
	}
	return strings.Join(parts, "; ")
}

// healed tells in a sentence what is as it was again.
func healed(all []engine.Drift) string {
	var parts []string
	for _, d := range all[:min(len(all), driftsTold)] {
		parts = append(parts, d.String())
	}
	if more := len(all) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more objects", more))
	}
	return strings.Join(parts, "; ") + ": written as it should be"
}

// tellDrift tells of drift in events: when it was healed, and when there is other drift
// that stays than was last told.
func tellDrift(ctx context.Context, p *pass) {
	recorder := controller.GetEventRecorder(ctx)
	if recorder == nil {
		return
	}
	if len(p.outcome.Healed) > 0 {
		recorder.Event(p.env, corev1.EventTypeNormal, v1alpha1.ReasonDriftHealed, healed(p.outcome.Healed))
	}
	if p.driftIsNews() && drifted(p.outcome.Drift) != "" {
		recorder.Event(p.env, corev1.EventTypeWarning, v1alpha1.ReasonDrifted, drifted(p.outcome.Drift))
	}
}

// driftIsNews says whether there is other drift than was last told.
func (p *pass) driftIsNews() bool {
	told := p.told.GetCondition(v1alpha1.ConditionDrifted)
	return told.GetMessage() != drifted(p.outcome.Drift)
}
