package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const widget = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: "${service.name}"}, spec: {selector: {matchLabels: {a: b}},
template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "${service.image}", args: [NEW]}]}}}}`

// fromElsewhere lets the template of all services read its manifests from somewhere.
func (l *lab) fromElsewhere(from v1alpha1.FilesFrom) {
	l.t.Helper()
	t := template()
	t.Generation++
	t.Spec.Container = &v1alpha1.Container{ManifestsFrom: &v1alpha1.ManifestsFrom{FilesFrom: from}}
	l.put(t, "servicetemplates")
}

// holds puts a ConfigMap with manifests where the reconciler sees it; without args, none.
func (l *lab) holds(version, args string) {
	l.t.Helper()
	l.must(l.configMaps.GetIndexer().Replace([]any{&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "web", UID: "web", ResourceVersion: version},
		Data:       map[string]string{"a.yaml": strings.ReplaceAll(widget, "NEW", args)},
	}}, version))
}

var fromConfigMap = v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "web"}}

func (l *lab) args(service string) any {
	l.t.Helper()
	pod := l.target.deployment(service).Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	return pod["containers"].([]any)[0].(map[string]any)["args"].([]any)[0]
}

func TestAConfigMapIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.fromElsewhere(fromConfigMap)
	const missing = `there is no ConfigMap "web" with the label spock.dev/manifests=true in namespace team-a; create it, or mark it: kubectl label configmap web spock.dev/manifests=true -n team-a`
	l.pass()
	if told := l.told(); !strings.HasPrefix(told, "Failed: ") || !strings.Contains(told, missing) || l.target.writes > 0 {
		t.Errorf("told %s after %d writes", told, l.target.writes)
	}
	l.holds("1", "one")
	l.bringUp()
	first := l.run("shop-1")
	if got := l.args("api"); got != "one" || len(first.Spec.Sources) != 1 || first.Spec.Sources[0].Name != "configmap/web" {
		t.Errorf("written with %v from %v", got, first.Spec.Sources)
	}
	l.holds("2", "one") // somebody labels it
	l.settle()
	if diff := cmp.Diff([]string{"shop-1"}, l.runs()); diff != "" {
		t.Errorf("the same content begins a run (-want +got):\n%s", diff)
	}
	l.holds("3", "two")
	l.bringUp()
	second := l.run("shop-2")
	if got := l.args("api"); got != "two" || second.Spec.Sources[0].Digest == first.Spec.Sources[0].Digest || second.Spec.PlanDigest == first.Spec.PlanDigest {
		t.Errorf("written with %v from %v, before from %v", got, second.Spec.Sources, first.Spec.Sources)
	}
}

func TestARollbackBringsWhatTheConfigMapHeld(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.fromElsewhere(fromConfigMap)
	l.holds("1", "one")
	l.bringUp()
	l.holds("2", "two")
	l.bringUp()
	l.edit(func(env *v1alpha1.Environment) {
		env.Spec.Run = &v1alpha1.RunLayer{Rollback: &v1alpha1.RollbackRequest{To: "shop-1"}}
	})
	l.restart()
	l.bringUp()
	back := l.run("shop-3")
	if got := l.args("api"); got != "one" {
		t.Errorf("rolled back to %v", got)
	}
	if diff := cmp.Diff(l.run("shop-1").Spec.Sources, back.Spec.Sources); diff != "" {
		t.Errorf("sources (-first +back):\n%s", diff)
	}
}

func TestAConfigMapWithManifestsBringsEnvironmentsBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.catchUp()
	l.holds("1", "one")
	l.listen(controller.Informer(l.configMaps))
	l.must(l.kube.Tracker().Add(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "web"}}))
	if got := l.next(); got != key {
		t.Errorf("%s was enqueued, want %s", got, key)
	}
}
