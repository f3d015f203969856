package cli

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// worldWith is a cluster whose template reads its manifests from somewhere.
func worldWith(t *testing.T, from v1alpha1.FilesFrom) *world {
	t.Helper()
	objects := append(product(t), environment("shop", ready, withImage))
	for _, o := range objects {
		if template, ok := o.(*v1alpha1.ServiceTemplate); ok {
			template.Spec.Container = &v1alpha1.Container{ManifestsFrom: &v1alpha1.ManifestsFrom{FilesFrom: from}}
		}
	}
	return newWorld(t, objects...)
}

func TestPlanReadsManifestsFromAConfigMap(t *testing.T) {
	t.Parallel()
	held := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web"},
		Data:       map[string]string{"a.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: \"${service.name}-marked\"}}"},
	}
	marked := held.DeepCopy()
	marked.Labels = map[string]string{v1alpha1.LabelManifests: "true"}
	const missing = `there is no ConfigMap "web" with the label spock.dev/manifests=true in namespace team-a; create it, or mark it: kubectl label configmap web spock.dev/manifests=true -n team-a`
	for name, tt := range map[string]struct {
		there     []runtime.Object
		out, err  string
		succeeded bool
	}{
		"one that is marked":     {[]runtime.Object{marked}, "ConfigMap/orders-marked", "", true},
		"one that is not marked": {[]runtime.Object{held}, "", missing, false},
		"none":                   {nil, "", missing, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := worldWith(t, v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "web"}})
			for _, o := range tt.there {
				if err := w.kube.Tracker().Add(o); err != nil {
					t.Fatal(err)
				}
			}
			got := w.run("env", "plan", "shop")
			if !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.err) || (got.code == ExitOK) != tt.succeeded {
				t.Errorf("exit %d, stdout:\n%s\nstderr:\n%s", got.code, got.out, got.err)
			}
		})
	}
}

func TestPlanReadsManifestsFromAnArtifact(t *testing.T) {
	t.Parallel()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/closed/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	manifest := static.NewLayer([]byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: \"${service.name}-fetched\"}}"), "application/yaml")
	image, err := mutate.Append(empty.Image, mutate.Addendum{Layer: manifest, MediaType: "application/yaml", Annotations: map[string]string{"org.opencontainers.image.title": "a.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host + "/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		image, out, err string
		code            int
	}{
		"one that is there": {host + "/web@" + digest.String(), "ConfigMap/orders-fetched", "", ExitOK},
		"one that is not":   {host + "/web@sha256:" + strings.Repeat("0", 64), "", "container.manifestsFrom: registry " + host + " has no ", ExitFailed},
		"one that is not ours": {host + "/closed/web@" + digest.String(), "",
			"; log in to the registry as for docker or helm: a plan is made with your own credentials", ExitFailed},
		"a tag": {host + "/web:1", "", "does not name an artifact by its digest, and what a tag means may change", ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := worldWith(t, v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: tt.image, SecretRef: &v1alpha1.SecretReference{Name: "pull"}}})
			got := w.run("env", "plan", "shop")
			if !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.err) || (got.code == ExitOK) != (tt.code == ExitOK) {
				t.Errorf("exit %d, stdout:\n%s\nstderr:\n%s", got.code, got.out, got.err)
			}
		})
	}
}
