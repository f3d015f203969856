//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// sleeper is a Deployment that says WORD in its annotations and does nothing.
const sleeper = `apiVersion: apps/v1
kind: Deployment
metadata: {name: "NAME", annotations: {says: 'WORD'}}
spec:
  replicas: 1
  selector: {matchLabels: {app: "NAME"}}
  template:
    metadata: {labels: {app: "NAME"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: "IMAGE", args: [sleep, "100000"], securityContext: {runAsUser: 65532}}]
`

func sleeping(name, image, word string) string {
	return strings.NewReplacer("NAME", name, "IMAGE", image, "WORD", word).Replace(sleeper)
}

// foreign are a directory of manifests, a Kustomize directory and a Helm chart, each of
// which says a word.
func foreign(word string) (manifests, kustomize, chart map[string]string) {
	manifests = map[string]string{
		"README.md":         "not a manifest",
		"deploy/one.yaml":   sleeping("${service.name}", "${service.image}", word),
		"deploy/other.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${service.name}-other"}, "data": {"says": "` + word + `"}}`,
	}
	kustomize = map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml]\n",
		"base/web.yaml":           sleeping("web", "${service.image}", "nothing"),
		"overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: built-\n" +
			"patches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /metadata/annotations/says, value: " + word + "}\n",
	}
	chart = map[string]string{
		"greeter/Chart.yaml":                "apiVersion: v2\nname: greeter\nversion: 1.0.0\n",
		"greeter/values.yaml":               "image: none\n",
		"greeter/templates/_helpers.tpl":    `{{ define "word" }}` + word + `{{ end }}`,
		"greeter/templates/deployment.yaml": sleeping("{{ .Release.Name }}", "{{ .Values.image }}", `{{ include "word" . }}`),
	}
	return manifests, kustomize, chart
}

// packed is a tar archive, as helm package and flux push artifact make them.
func packed(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// keys are files as keys of a ConfigMap.
func keys(files map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range files {
		out[strings.ReplaceAll(name, "/", "__")] = text
	}
	return out
}

// hold puts a ConfigMap with manifests into the lab's namespace, or changes the one there.
func (l *lab) hold(name string, data map[string]string, binary map[string][]byte) {
	l.Helper()
	api := l.kube.CoreV1().ConfigMaps(l.name)
	held := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelManifests: "true"}},
		Data:       data, BinaryData: binary,
	}
	l.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		found, err := api.Get(l.ctx, name, metav1.GetOptions{})
		if err != nil {
			_, err = api.Create(l.ctx, held, metav1.CreateOptions{})
			return err
		}
		found.Data, found.BinaryData = data, binary
		_, err = api.Update(l.ctx, found, metav1.UpdateOptions{})
		return err
	}))
}

func bringing(name string, c v1alpha1.Container) *v1alpha1.ServiceTemplate {
	return &v1alpha1.ServiceTemplate{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ServiceTemplateSpec{Container: &c}}
}

// brought are templates of the three forms, with their files elsewhere.
func brought(manifests, kustomize, chart v1alpha1.FilesFrom) []any {
	return []any{
		bringing("manifests", v1alpha1.Container{ManifestsFrom: &v1alpha1.ManifestsFrom{FilesFrom: manifests, Path: "deploy"}}),
		bringing("kustomize", v1alpha1.Container{Kustomize: &v1alpha1.Kustomize{FilesFrom: &kustomize, Path: "overlay"}}),
		bringing("chart", v1alpha1.Container{Chart: &v1alpha1.Chart{FilesFrom: &chart, Values: "image: ${service.image}"}}),
	}
}

// said is what the objects of the three services say, by Deployment, with the number of times
// that each was changed.
func (l *lab) said(environment string) map[string]string {
	l.Helper()
	all, err := l.kube.AppsV1().Deployments(l.home(environment)).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	said := map[string]string{}
	for _, d := range all.Items {
		said[d.Name] = d.Annotations["says"] + " " + d.Spec.Template.Spec.Containers[0].Image
	}
	return said
}

// saying is what said gives when all say a word.
func (l *lab) saying(manifests, kustomize, chart string) map[string]string {
	image := " " + l.image("busybox:1")
	return map[string]string{"raw": manifests + image, "built-web": kustomize + image, "packed": chart + image}
}

func fromConfigMap(name string) v1alpha1.FilesFrom {
	return v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: name}}
}

// TestServicesComeFromConfigMaps has one of each form. What docs/manifests.md says becomes of
// a change is what becomes of it.
func TestServicesComeFromConfigMaps(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.watchRequests()
	manifests, kustomize, chart := foreign("one")
	l.hold("manifests", keys(manifests), nil)
	l.hold("kustomize", keys(kustomize), nil)
	l.create(brought(fromConfigMap("manifests"), fromConfigMap("kustomize"), fromConfigMap("chart"))...)
	l.create(product("shop", group("all", l.service("raw", "manifests"), l.service("built", "kustomize"), l.service("packed", "chart"))), l.environment("shop", "shop"))

	failed := l.reaches("shop", v1alpha1.PhaseFailed, 1)
	if want := `there is no ConfigMap "chart" with the label spock.dev/manifests=true in namespace ` + l.name; !strings.Contains(failed.Status.Message, want) {
		t.Errorf("without one it says %s, want %s", failed.Status.Message, want)
	}
	l.hold("chart", nil, map[string][]byte{"greeter-1.0.0.tgz": packed(t, chart)})
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	if diff := cmp.Diff(l.saying("one", "one", "one"), l.said("shop")); diff != "" {
		t.Errorf("what runs (-want +got):\n%s", diff)
	}
	first := l.runs("shop")[1].Spec.Sources
	log.read()

	manifests, _, _ = foreign("two")
	l.hold("manifests", keys(manifests), nil)
	l.isAtRun("shop", "shop-2", v1alpha1.PhaseReady)
	if diff := cmp.Diff(l.saying("two", "one", "one"), l.said("shop")); diff != "" {
		t.Errorf("after a change what runs (-want +got):\n%s", diff)
	}
	if all := of("patch", "deployments", in(l.home("shop"), writes(log.read()))); !slices.Equal(all, []string{"raw"}) {
		t.Errorf("the change of one ConfigMap wrote the Deployments %v", all)
	}
	second := l.runs("shop")[2].Spec.Sources
	if first[0].Name != "configmap/manifests" || first[0].Digest == second[0].Digest || first[2] != second[2] {
		t.Errorf("the runs note %v and %v", first, second)
	}

	if said := l.spockCommand("env", "rollback", "shop", "-n", l.name, "--to", "shop-1"); !strings.Contains(said, "rolled back to run shop-1") {
		t.Errorf("spock env rollback says:\n%s", said)
	}
	if diff := cmp.Diff(l.saying("one", "one", "one"), l.said("shop")); diff != "" {
		t.Errorf("rolled back, what runs (-want +got):\n%s", diff)
	}

	other := l.image("debian:12")
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Run, spec.Services = nil, []v1alpha1.ServiceOverride{{Name: "packed", Images: map[string]string{"main": other}}}
	})
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	want := l.saying("two", "one", "one")
	want["packed"] = "one " + other
	if diff := cmp.Diff(want, l.said("shop")); diff != "" {
		t.Errorf("with an image for one container, what runs (-want +got):\n%s", diff)
	}
	generation = l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.Services[0].Images = map[string]string{"maim": other} })
	if said := l.reaches("shop", v1alpha1.PhaseFailed, generation).Status.Message; !strings.Contains(said, `the service has no container "maim"; did you mean "main"?`) {
		t.Errorf("a container that is not there is told %s", said)
	}
}

// isAtRun waits until an environment tells a phase of a run.
func (l *lab) isAtRun(name, run string, phase v1alpha1.Phase) *v1alpha1.Environment {
	l.Helper()
	return await(l, l.environmentRef(name), 3*soon, run+" is "+string(phase), func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.Phase == phase && env.Status.Run == run
	})
}
