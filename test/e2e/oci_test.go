//go:build e2e

package e2e

import (
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	knative "knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/source"
)

// layer is one of an artifact.
type layer struct {
	media, title string
	data         []byte
}

// artifact pushes layers as flux, helm and oras do, and returns the digest.
func (l *lab) artifact(repository string, auth authn.Authenticator, layers ...layer) string {
	l.Helper()
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, one := range layers {
		added := mutate.Addendum{Layer: static.NewLayer(one.data, types.MediaType(one.media)), MediaType: types.MediaType(one.media)}
		if one.title != "" {
			added.Annotations = map[string]string{"org.opencontainers.image.title": one.title}
		}
		var err error
		image, err = mutate.Append(image, added)
		l.must(err)
	}
	ref, err := name.ParseReference(repository+":1", name.Insecure)
	l.must(err)
	l.must(remote.Write(ref, image, remote.WithAuth(auth)))
	digest, err := image.Digest()
	l.must(err)
	return digest.String()
}

// titled are files as single layers, as oras pushes them.
func titled(files map[string]string) []layer {
	var out []layer
	for name, text := range files {
		out = append(out, layer{"application/vnd.oci.image.layer.v1.tar", name, []byte(text)})
	}
	return out
}

func fromOCI(image string) v1alpha1.FilesFrom {
	return v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: image}}
}

// becomes changes a template.
func (l *lab) becomes(name string, edit func(*v1alpha1.Container)) {
	l.Helper()
	api := l.spock.SpockV1alpha1().ServiceTemplates(l.name)
	l.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		t, err := api.Get(l.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(t.Spec.Container)
		_, err = api.Update(l.ctx, t, metav1.UpdateOptions{})
		return err
	}))
}

// waits waits until an environment is Pending for a reason, and says so.
func (l *lab) waits(name, reason, says string) {
	l.Helper()
	await(l, l.environmentRef(name), 2*soon, "it is Pending: "+reason+": "+says, func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.Phase == v1alpha1.PhasePending && strings.Contains(env.Status.Message, says) &&
			env.Status.GetCondition(knative.ConditionReady).GetReason() == reason
	})
}

// TestServicesComeFromArtifacts has manifests as oras pushes them, a Kustomize directory as
// flux does and a chart as helm does, in the cluster's registry. One of them has a digest
// that nobody has pushed, then one is in a repository that is not there; then it is mended.
func TestServicesComeFromArtifacts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	pushed, pulled := l.setting(t, "REGISTRY")+"/"+l.name, strings.TrimSuffix(l.image(l.name), "/")
	manifests, kustomize, chart := foreign("one")
	digests := map[string]string{
		"manifests": l.artifact(pushed+"/manifests", authn.Anonymous, titled(manifests)...),
		"kustomize": l.artifact(pushed+"/kustomize", authn.Anonymous, layer{media: source.FluxContent, data: packed(t, kustomize)}),
		"chart":     l.artifact(pushed+"/greeter", authn.Anonymous, layer{media: source.HelmChart, data: packed(t, chart)}),
	}
	const nothing = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	l.create(brought(fromOCI(pulled+"/manifests@"+digests["manifests"]), fromOCI(pulled+"/kustomize@"+digests["kustomize"]), fromOCI(pulled+"/greeter"+nothing))...)
	l.create(product("shop", group("all", l.service("raw", "manifests"), l.service("built", "kustomize"), l.service("packed", "chart"))), l.environment("shop", "shop"))

	l.waits("shop", v1alpha1.ReasonSourceNotFound, "has no "+pulled+"/greeter"+nothing+"; push it, or correct the name and the digest")
	l.becomes("chart", func(c *v1alpha1.Container) { c.Chart.FilesFrom.OCI.Image = pulled + "/nowhere@" + digests["chart"] })
	l.waits("shop", v1alpha1.ReasonSourceNotFound, "has no "+pulled+"/nowhere@"+digests["chart"])
	if why := l.spockCommand("env", "why", "shop", "-n", l.name); !strings.Contains(why, "/nowhere@") {
		t.Errorf("spock env why says:\n%s", why)
	}
	l.becomes("chart", func(c *v1alpha1.Container) { c.Chart.FilesFrom.OCI.Image = pulled + "/greeter@" + digests["chart"] })
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	if diff := cmp.Diff(l.saying("one", "one", "one"), l.said("shop")); diff != "" {
		t.Errorf("what runs (-want +got):\n%s", diff)
	}
	want := []v1alpha1.RunSource{
		{Name: "oci/" + pulled + "/manifests", Digest: digests["manifests"]},
		{Name: "oci/" + pulled + "/kustomize", Digest: digests["kustomize"]},
		{Name: "oci/" + pulled + "/greeter", Digest: digests["chart"]},
	}
	if diff := cmp.Diff(want, l.runs("shop")[1].Spec.Sources); diff != "" {
		t.Errorf("the run notes (-want +got):\n%s", diff)
	}
}

// guarded is a registry where pods reach this machine. It lets one user in, and can be down.
type guarded struct {
	host string
	down atomic.Bool
}

var alice = &authn.Basic{Username: "alice", Password: "e2e-pull"}

func (l *lab) guarded() *guarded {
	l.Helper()
	g, inner := &guarded{}, registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	listener, err := net.Listen("tcp", net.JoinHostPort(l.setting(l.T, "HOST_IP"), "0"))
	l.must(err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case g.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case user != alice.Username || password != alice.Password:
			w.Header().Set("WWW-Authenticate", `Basic realm="e2e"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			inner.ServeHTTP(w, r)
		}
	})}}
	server.Start()
	l.Cleanup(server.Close)
	g.host = listener.Addr().String()
	return g
}

// pullSecret makes a Secret for a registry as kubectl create secret docker-registry does.
func (l *lab) pullSecret(name, host string) {
	l.Helper()
	_, err := l.kube.CoreV1().Secrets(l.name).Create(l.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(l.dockerConfig(host))},
	}, metav1.CreateOptions{})
	l.must(err)
}

// TestAPrivateArtifactIsForWhoHasTheCredentials has a registry that lets nobody in without
// them, also not another namespace once the content was fetched. When the registry is down
// the rollout goes on.
func TestAPrivateArtifactIsForWhoHasTheCredentials(t *testing.T) {
	t.Parallel()
	l, other := newLab(t), newLab(t)
	g := l.guarded()
	_, _, chart := foreign("one")
	image := g.host + "/team/greeter@" + l.artifact(g.host+"/team/greeter", alice, layer{media: source.HelmChart, data: packed(t, chart)})
	from := v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: image, SecretRef: &v1alpha1.SecretReference{Name: "pull"}, Insecure: true}}
	fetched := bringing("chart", v1alpha1.Container{Chart: &v1alpha1.Chart{FilesFrom: &from, Values: "image: ${service.image}"}})
	l.create(page(), fetched, product("shop", group("data", l.slow("db")), group("frontend", l.service("packed", "chart"))), l.environment("shop", "shop"))
	l.waits("shop", v1alpha1.ReasonSourceUnauthorized, `Secret "pull" of namespace `+l.name+" cannot be read as service account "+account)
	l.pullSecret("pull", g.host)
	l.isAt("shop", "db", v1alpha1.ServiceProgressing)
	g.down.Store(true)
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	g.down.Store(false)

	from.OCI.SecretRef = nil
	other.create(bringing("chart", v1alpha1.Container{Chart: &v1alpha1.Chart{FilesFrom: &from, Values: "image: ${service.image}"}}),
		product("shop", group("frontend", other.service("packed", "chart"))), other.environment("shop", "shop"))
	other.waits("shop", v1alpha1.ReasonSourceUnauthorized, "registry "+g.host+" does not let "+image+" be read")
	if said := l.plans("shop", "{}"); !strings.Contains(said, "a plan is made with your own credentials") {
		t.Errorf("without credentials spock env plan says:\n%s", said)
	}
	if said := l.plans("shop", l.dockerConfig(g.host)); !strings.Contains(said, "packed") || !strings.Contains(said, "unchanged") {
		t.Errorf("with credentials spock env plan says:\n%s", said)
	}
}

// plans is what spock env plan says to somebody with a Docker config.
func (l *lab) plans(environment, config string) string {
	l.Helper()
	path, err := commandLine()
	l.must(err)
	dir := l.TempDir()
	l.must(os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600))
	cmd := exec.CommandContext(l.ctx, path, "env", "plan", environment, "-n", l.name)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig, "NO_COLOR=1", "DOCKER_CONFIG="+dir)
	out, _ := cmd.CombinedOutput() // what it says is what counts
	return string(out)
}

// dockerConfig is what docker login leaves.
func (l *lab) dockerConfig(host string) string {
	auth := base64.StdEncoding.EncodeToString([]byte(alice.Username + ":" + alice.Password))
	return `{"auths": {"` + host + `": {"auth": "` + auth + `"}}}`
}

// TestAnArtifactByItsTagIsRefused asks the API server.
func TestAnArtifactByItsTagIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, err := l.spock.SpockV1alpha1().ServiceTemplates(l.name).Create(l.ctx, bringing("web", v1alpha1.Container{
		ManifestsFrom: &v1alpha1.ManifestsFrom{FilesFrom: fromOCI("registry.example.com/web:1")},
	}), metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "name the artifact by its digest") {
		t.Errorf("the API server says %v", err)
	}
}

// TestARegistryThatIsDownHoldsUpNoRestart is not parallel: it takes the controller away. The
// next one remembers nothing, and what it heals is in the run's copy of the plan alone.
func TestARegistryThatIsDownHoldsUpNoRestart(t *testing.T) {
	needsNode(t, "the controller is no pod that could be taken away")
	l := newLab(t)
	g := l.guarded()
	_, _, chart := foreign("one")
	image := g.host + "/team/greeter@" + l.artifact(g.host+"/team/greeter", alice, layer{media: source.HelmChart, data: packed(t, chart)})
	from := v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: image, SecretRef: &v1alpha1.SecretReference{Name: "pull"}, Insecure: true}}
	l.pullSecret("pull", g.host)
	l.create(bringing("chart", v1alpha1.Container{Chart: &v1alpha1.Chart{FilesFrom: &from, Values: "image: ${service.image}"}}),
		product("shop", group("frontend", l.service("packed", "chart"))), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	before, err := l.kube.AppsV1().Deployments(l.home("shop")).Get(l.ctx, "packed", metav1.GetOptions{})
	l.must(err)

	g.down.Store(true)
	l.dismiss(l.controller(), nil)
	l.controller()
	l.must(l.kube.AppsV1().Deployments(before.Namespace).Delete(l.ctx, before.Name, metav1.DeleteOptions{}))
	await(l, ref{deployments, before.Namespace, before.Name}, 3*soon, "it is there again", func(d *metav1.PartialObjectMetadata) bool {
		return d != nil && d.UID != before.UID
	})
	l.isAtRun("shop", "shop-1", v1alpha1.PhaseReady)

	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.Drift = v1alpha1.DriftWarn })
	l.waits("shop", v1alpha1.ReasonSourceUnreachable, "registry "+g.host+" cannot answer for "+image+": 503 Service Unavailable; look at the registry; it is tried again by itself")
	g.down.Store(false)
	l.reaches("shop", v1alpha1.PhaseReady, generation)
}
