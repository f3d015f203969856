package environment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func (l *lab) pullSecret(_ context.Context, namespace, account, name string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, ok := l.keys[namespace+"/"+account+"/"+name]; ok {
		return []byte(held), nil
	}
	return nil, errors.New("not found")
}

// shelf is a registry on this machine that can be down, and that wants a user when it has one.
type shelf struct {
	l     *lab
	host  string
	down  atomic.Bool
	user  atomic.Pointer[string]
	asked atomic.Int64
}

func newShelf(l *lab) *shelf {
	s := &shelf{l: l}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		who, _, _ := r.BasicAuth()
		switch want := s.user.Load(); {
		case s.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case want != nil && *want != who:
			w.Header().Set("WWW-Authenticate", `Basic realm="shelf"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			inner.ServeHTTP(w, r)
		}
	}))
	l.t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// made is an artifact with a manifest, and its name once it is pushed.
func (s *shelf) made(args string) (v1.Image, string) {
	s.l.t.Helper()
	layer := static.NewLayer([]byte(strings.ReplaceAll(widget, "NEW", args)), "application/yaml")
	image, err := mutate.Append(empty.Image, mutate.Addendum{Layer: layer, MediaType: "application/yaml", Annotations: map[string]string{"org.opencontainers.image.title": "a.yaml"}})
	s.l.must(err)
	digest, err := image.Digest()
	s.l.must(err)
	return image, s.host + "/team/web@" + digest.String()
}

func (s *shelf) push(args string) string {
	s.l.t.Helper()
	image, named := s.made(args)
	ref, err := name.ParseReference(s.host + "/team/web:1")
	s.l.must(err)
	s.l.must(remote.Write(ref, image))
	return named
}

func fromOCI(image, secret string) v1alpha1.FilesFrom {
	from := v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: image}}
	if secret != "" {
		from.OCI.SecretRef = &v1alpha1.SecretReference{Name: secret}
	}
	return from
}

// fetches passes, and again when an attempt to fetch has ended.
func (l *lab) fetches() {
	l.t.Helper()
	l.pass()
	if got := l.next(); got != key {
		l.t.Fatalf("%s was enqueued", got)
	}
	l.pass()
}

func (l *lab) reason() string {
	l.t.Helper()
	return l.env().Status.GetCondition("Ready").Reason
}

func TestAnArtifactIsFetchedInTheBackground(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newShelf(l)
	image := s.push("one")
	l.fromElsewhere(fromOCI(image, ""))
	l.pass()
	l.tells("Pending: fetching " + image)
	if got := l.reason(); got != v1alpha1.ReasonFetching || l.target.writes > 0 {
		t.Errorf("%s after %d writes", got, l.target.writes)
	}
	l.next()
	l.bringUp()
	path, digest, _ := strings.Cut(image, "@")
	want := []v1alpha1.RunSource{{Name: "oci/" + path, Digest: digest}}
	if diff := cmp.Diff(want, l.run("shop-1").Spec.Sources); diff != "" || l.args("api") != "one" {
		t.Errorf("written with %v, sources (-want +got):\n%s", l.args("api"), diff)
	}
	asked := s.asked.Load()
	l.settle()
	if s.asked.Load() != asked {
		t.Error("an environment that is up asks the registry")
	}
}

func TestWhyAnArtifactIsNotThereIsToldUntilItIs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newShelf(l)
	_, image := s.made("one")
	l.fromElsewhere(fromOCI(image, ""))
	l.fetches()
	l.tells(fmt.Sprintf("Pending: registry %s has no %s; push it, or correct the name and the digest; it is tried again by itself", s.host, image))
	if diff := cmp.Diff([]time.Duration{2 * time.Second}, l.woken); diff != "" || l.reason() != v1alpha1.ReasonSourceNotFound {
		t.Errorf("%s, woken (-want +got):\n%s", l.reason(), diff)
	}
	l.pass()
	if len(l.writes()) > 0 {
		t.Errorf("a pass that learns nothing writes %v", l.writes())
	}
	s.push("one")
	l.clock.SetTime(l.clock.Now().Add(2 * time.Second))
	l.pass()
	if len(l.woken) > 0 {
		t.Errorf("woken after %v while it is fetched", l.woken)
	}
	l.next()
	l.bringUp()
	if l.args("api") != "one" {
		t.Errorf("written with %v", l.args("api"))
	}
}

func TestARegistryIsAskedWithTheSecretOfTheNamespace(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(env *v1alpha1.Environment) { env.Spec.ServiceAccountName = "deployer" })
	s := newShelf(l)
	image := s.push("one")
	user := "alice"
	s.user.Store(&user)
	l.fromElsewhere(fromOCI(image, "pull"))
	l.fetches()
	l.tells(`Pending: Secret "pull" of namespace team-a cannot be read as service account deployer: not found; create it, or let that account get it; it is tried again by itself`)
	l.clock.SetTime(l.clock.Now().Add(time.Minute))
	l.mu.Lock()
	l.keys = map[string]string{"team-a/deployer/pull": fmt.Sprintf(`{"auths": {%q: {"username": "alice", "password": "hidden"}}}`, s.host)}
	l.mu.Unlock()
	l.fetches()
	l.bringUp()
	if told := l.told(); !strings.HasPrefix(told, "Ready: ") {
		t.Error(told)
	}
}

// A registry that is down holds up neither the rest of a rollout nor what was rendered
// before, also after a restart; what it never gave is told of.
func TestARegistryThatIsDownHoldsNoRolloutUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newShelf(l)
	l.fromElsewhere(fromOCI(s.push("one"), ""))
	l.fetches()
	s.down.Store(true)
	l.restart()
	l.fetches()
	if told := l.told(); !strings.HasPrefix(told, "Progressing: ") {
		t.Fatalf("after a restart: %s", told)
	}
	l.bringUp()
	l.restart()
	writes := l.target.writes
	l.fetches()
	l.settle()
	if diff := cmp.Diff([]string{"shop-1"}, l.runs()); diff != "" || l.target.writes != writes {
		t.Errorf("%d writes more, runs (-want +got):\n%s", l.target.writes-writes, diff)
	}

	l.edit(func(env *v1alpha1.Environment) { env.Spec.Drift = v1alpha1.DriftWarn })
	l.restart()
	l.fetches()
	if told := l.told(); !strings.HasPrefix(told, "Pending: registry "+s.host+" cannot answer for ") || l.reason() != v1alpha1.ReasonSourceUnreachable {
		t.Errorf("what must be fetched again is told %s", told)
	}
	s.down.Store(false)
	l.clock.SetTime(l.clock.Now().Add(time.Minute))
	l.fetches()
	if told := l.told(); !strings.HasPrefix(told, "Ready: ") {
		t.Errorf("mended: %s", told)
	}
}

func TestWhatAnArtifactHoldsIsRefusedAsWhatTheTemplateHolds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newShelf(l)
	image, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer: static.NewLayer(make([]byte, 1<<20), "x"), MediaType: "application/zip",
	})
	l.must(err)
	digest, err := image.Digest()
	l.must(err)
	ref, err := name.ParseReference(s.host + "/team/web:1")
	l.must(err)
	l.must(remote.Write(ref, image))
	l.fromElsewhere(fromOCI(s.host+"/team/web@"+digest.String(), ""))
	l.fetches()
	const says = `template "service" container.manifestsFrom: layer 1: its media type "application/zip" is not one of a tar archive, and it has no title that names a file; push the files with flux, helm or oras`
	if told := l.told(); !strings.HasPrefix(told, "Failed: ") || !strings.Contains(told, says) || l.reason() != v1alpha1.ReasonInvalid {
		t.Errorf("told %s", told)
	}
}
