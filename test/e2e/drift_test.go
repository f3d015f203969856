//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// scale sets the replicas of a Deployment as `kubectl edit` does, by the name of a manager.
func (l *lab) scale(environment, name, manager, replicas string) {
	l.Helper()
	_, err := l.kube.AppsV1().Deployments(l.home(environment)).Patch(l.ctx, name, types.MergePatchType,
		[]byte(`{"spec":{"replicas":`+replicas+`}}`), metav1.PatchOptions{FieldManager: manager})
	l.must(err)
}

// event waits until an event about an environment says something.
func (l *lab) event(environment, reason, words string) {
	l.Helper()
	l.eventually(soon, func(ctx context.Context) string {
		all, err := l.kube.CoreV1().Events(l.name).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + environment + ",reason=" + reason})
		if err != nil {
			return err.Error()
		}
		for _, e := range all.Items {
			if strings.Contains(e.Message, words) {
				return ""
			}
		}
		return "there is no event " + reason + " that says: " + words
	})
}

// TestDriftIsHealedByOneWrite changes a field by hand, and deletes what is not a workload.
func TestDriftIsHealedByOneWrite(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.watchRequests()
	l.create(page(), product("shop", group("all", l.service("web", "page"))), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	log.read()

	l.scale("shop", "web", "somebody", "2")
	await(l, ref{deployments, l.home("shop"), "web"}, soon, "it has one replica again", func(d *appsv1.Deployment) bool {
		return d != nil && d.Generation >= 3 && *d.Spec.Replicas == 1
	})
	l.event("shop", v1alpha1.ReasonDriftHealed, "Deployment/web: spec.replicas was changed by somebody: written as it should be")
	l.must(l.kube.CoreV1().Services(l.home("shop")).Delete(l.ctx, "web", metav1.DeleteOptions{}))
	l.event("shop", v1alpha1.ReasonDriftHealed, "Service/web was deleted: written as it should be")
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	all := in(l.home("shop"), writes(log.read()))
	if got := len(of("patch", "deployments", all)); got != 1 { // by what heals it; what a person does is not in the list
		t.Errorf("the deployment was patched %d times, want once:\n%s", got, listing(all))
	}
	if got := len(of("patch", "services", all)); got != 1 {
		t.Errorf("the service was patched %d times, want once:\n%s", got, listing(all))
	}
}

func TestDriftIsOnlyToldWithWarn(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(class *v1alpha1.EnvironmentClassSpec) { class.Drift = v1alpha1.DriftWarn })
	l.create(page(), product("shop", group("all", l.service("web", "page"))), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	l.scale("shop", "web", "somebody", "2")
	const want = "Deployment/web: spec.replicas was changed by somebody, and stays so: drift is Warn"
	await(l, l.environmentRef("shop"), soon, "the condition Drifted says: "+want, func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.GetCondition(v1alpha1.ConditionDrifted).GetMessage() == want
	})
	l.event("shop", v1alpha1.ReasonDrifted, want)
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.Drift = v1alpha1.DriftHeal })
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	await(l, ref{deployments, l.home("shop"), "web"}, soon, "it has one replica again", func(d *appsv1.Deployment) bool {
		return d != nil && *d.Spec.Replicas == 1
	})
}
