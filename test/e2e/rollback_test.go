//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestABadImageIsRolledBack changes a parameter of all services and, with it, the image of
// one to one that nobody has pushed.
func TestABadImageIsRolledBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scope v1alpha1.RollbackScope
		db    string // what its page says at the end
		said  string
	}{
		"with all services": {v1alpha1.RollbackEnvironment, "hello", "rolled back to run shop-1, since service web failed in run shop-2: ImageNotPullable: "},
		"alone":             {v1alpha1.RollbackService, "good morning", "service web rolled back to run shop-1, since service web failed in run shop-2: ImageNotPullable: "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, func(class *v1alpha1.EnvironmentClassSpec) {
				class.OnFailure, class.RollbackScope = v1alpha1.OnFailureRollback, tc.scope
			})
			l.create(page(), product("shop", group("data", l.service("db", "page")), group("frontend", l.service("web", "page"))), l.environment("shop", "shop"))
			l.reaches("shop", v1alpha1.PhaseReady, 1)

			generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
				spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
				spec.Services = []v1alpha1.ServiceOverride{{Name: "web", Image: l.image("nowhere:1")}}
			})
			env := l.reaches("shop", v1alpha1.PhaseFailed, generation)
			ready := env.Status.GetCondition(apis.ConditionReady)
			if ready.Reason != v1alpha1.ReasonRolledBack || !strings.HasPrefix(ready.Message, tc.said) || !strings.Contains(ready.Message, "nowhere:1") {
				t.Errorf("it is %s: %s", ready.Reason, ready.Message)
			}
			if env.Status.Rollback == nil || env.Status.Rollback.Cause.Class != v1alpha1.CauseImage || env.Status.Progress != "2/2" {
				t.Errorf("rollback %+v, %s ready", env.Status.Rollback, env.Status.Progress)
			}
			want := map[string]string{"db": l.image("busybox:1") + " " + tc.db, "web": l.image("busybox:1") + " hello"}
			if diff := cmp.Diff(want, map[string]string{"db": l.pageOf("shop", "db"), "web": l.pageOf("shop", "web")}); diff != "" {
				t.Errorf("what runs (-want +got):\n%s", diff)
			}
			phases := map[int64]v1alpha1.Phase{}
			for number, run := range l.runs("shop") {
				phases[number] = run.Status.Phase
			}
			if diff := cmp.Diff(map[int64]v1alpha1.Phase{1: v1alpha1.PhaseReady, 2: v1alpha1.PhaseFailed, 3: v1alpha1.PhaseReady}, phases); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if why := l.spockCommand("env", "why", "shop", "-n", l.name); !strings.Contains(why, "web failed in run shop-2: ImageNotPullable") {
				t.Errorf("spock env why says:\n%s", why)
			}

			generation = l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.Services = nil })
			if env := l.reaches("shop", v1alpha1.PhaseReady, generation); env.Status.Rollback != nil || env.Status.Run != "shop-4" {
				t.Errorf("put right, it is at run %s with rollback %+v", env.Status.Run, env.Status.Rollback)
			}
		})
	}
}

// TestARollbackByHandStaysUntilTheNextDeploy goes back with one service of two.
func TestARollbackByHandStaysUntilTheNextDeploy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), product("shop", group("data", l.service("db", "page")), group("frontend", l.service("web", "page"))), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
	})
	l.reaches("shop", v1alpha1.PhaseReady, generation)

	if said := l.spockCommand("env", "rollback", "shop", "web", "-n", l.name); !strings.Contains(said, "service web rolled back to run shop-1") {
		t.Errorf("spock env rollback says:\n%s", said)
	}
	busybox := l.image("busybox:1")
	want := map[string]string{"db": busybox + " good morning", "web": busybox + " hello"}
	if diff := cmp.Diff(want, map[string]string{"db": l.pageOf("shop", "db"), "web": l.pageOf("shop", "web")}); diff != "" {
		t.Errorf("what runs (-want +got):\n%s", diff)
	}
	l.spockCommand("env", "up", "shop", "-n", l.name)
	if got := l.pageOf("shop", "web"); got != busybox+" good morning" {
		t.Errorf("after the next deploy there runs %s", got)
	}
}

// pageOf is the image of a page, and what the page says.
func (l *lab) pageOf(environment, service string) string {
	l.Helper()
	d, err := l.kube.AppsV1().Deployments(l.home(environment)).Get(l.ctx, service, metav1.GetOptions{})
	l.must(err)
	says := ""
	for _, volume := range d.Spec.Template.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		files, err := l.kube.CoreV1().ConfigMaps(l.home(environment)).Get(l.ctx, volume.ConfigMap.Name, metav1.GetOptions{})
		l.must(err)
		for _, content := range files.Data {
			_, says, _ = strings.Cut(strings.TrimSpace(content), " says ")
		}
	}
	return d.Spec.Template.Spec.Containers[0].Image + " " + says
}
