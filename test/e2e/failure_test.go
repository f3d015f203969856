//go:build e2e

package e2e

import (
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestStopStartsNothingNewAfterAFailure has a service that breaks, one that needs only its
// start, and a chain that has nothing to do with it and is still on its way.
func TestStopStartsNothingNewAfterAFailure(t *testing.T) {
	t.Parallel()
	needsNode(t, "one that ends every time would show it")
	l := newLab(t)
	db, early, web := l.service("db", "page"), l.service("early", "page"), l.service("web", "page")
	db.Parameters = map[string]apiextensionsv1.JSON{"delay": *raw(45)}
	early.Needs = []v1alpha1.Need{{Service: "broken", Until: v1alpha1.UntilStarted}}
	web.Needs = []v1alpha1.Need{{Service: "db"}}
	made := product("shop", group("all", l.service("broken", "crash"), db, early, web))
	made.Spec.Order = v1alpha1.OrderNeeds
	env := l.environment("shop", "shop")
	env.Spec.OnFailure = v1alpha1.OnFailureStop
	l.create(page(), crash(), made, env)

	status := l.reaches("shop", v1alpha1.PhaseFailed, 1).Status
	for name, want := range map[string]v1alpha1.ServiceState{
		"broken": v1alpha1.ServiceFailed, "db": v1alpha1.ServiceReady, "early": v1alpha1.ServiceReady, "web": v1alpha1.ServiceBlocked,
	} {
		if got := status.Service(name); got == nil || got.State != want {
			t.Errorf("service %s is %+v, want %s", name, got, want)
		}
	}
	if by := status.Service("web").WaitingFor; !slices.Equal(by, []string{"broken"}) {
		t.Errorf("web is blocked by %v, want broken", by)
	}
	if _, err := l.kube.AppsV1().Deployments(l.home("shop")).Get(l.ctx, "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("web was written after the failure of broken: %v", err)
	}

	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.OnFailure = v1alpha1.OnFailureIsolate })
	after := l.reaches("shop", v1alpha1.PhaseFailed, generation).Status
	if got := after.Service("web"); got.State != v1alpha1.ServiceReady {
		t.Errorf("with Isolate, web is %+v, want ready", got)
	}
}
