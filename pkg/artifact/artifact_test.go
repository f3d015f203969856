package artifact_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	"spock.dev/spock/pkg/source"
)

// shelf is a registry in memory, behind a door.
type shelf struct {
	*testing.T
	host string
	door func(http.ResponseWriter, *http.Request) bool // whether the request has been answered
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{T: t}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.door == nil || !s.door(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// layer is one to push.
type layer struct {
	media, data string
	annotations map[string]string
}

// push pushes an artifact and returns its name.
func (s *shelf) push(path string, layers ...layer) source.Artifact {
	s.Helper()
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, l := range layers {
		var err error
		image, err = mutate.Append(image, mutate.Addendum{Layer: static.NewLayer([]byte(l.data), types.MediaType(l.media)), Annotations: l.annotations, MediaType: types.MediaType(l.media)})
		s.must(err)
	}
	return s.write(path, image)
}

func (s *shelf) write(path string, image v1.Image) source.Artifact {
	s.Helper()
	ref, err := name.ParseReference(s.host + "/" + path + ":1")
	s.must(err)
	s.must(remote.Write(ref, image))
	digest, err := image.Digest()
	s.must(err)
	return source.Artifact{Image: s.host + "/" + path + "@" + digest.String()}
}

func (s *shelf) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

var anonymous = artifact.Keys{}

func TestLayersComeAsTheyWerePushed(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	wanted := s.push("team/web",
		layer{source.FluxContent, "flux", nil},
		layer{"application/yaml", "a: b", map[string]string{"org.opencontainers.image.title": "a.yaml"}},
		layer{"application/vnd.oci.image.layer.v1.tar+gzip", "dir", map[string]string{"org.opencontainers.image.title": "dir", "io.deis.oras.content.unpack": "true"}},
	)
	got, err := artifact.Fetch(t.Context(), wanted, anonymous)
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Layer{
		{MediaType: source.FluxContent, Data: []byte("flux")},
		{MediaType: "application/yaml", Title: "a.yaml", Data: []byte("a: b")},
		{MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Title: "dir", Packed: true, Data: []byte("dir")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

func TestWhyAnArtifactCannotBeHad(t *testing.T) {
	t.Parallel()
	const nothing = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	blobs := func(answer func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
				return false
			}
			answer(w, r)
			return true
		}
	}
	all := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			fmt.Fprint(w, strings.Repeat("said\n", 200))
			return true
		}
	}
	for name, tc := range map[string]struct {
		wanted func(*shelf, source.Artifact) source.Artifact
		door   func(http.ResponseWriter, *http.Request) bool
		reason string
		says   string
	}{
		"it is not there": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact {
				return source.Artifact{Image: s.host + "/team/web@" + nothing}
			},
			reason: v1alpha1.ReasonSourceNotFound, says: "registry HOST has no HOST/team/web@" + nothing + "; push it, or correct the name and the digest",
		},
		"its repository is not there": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact {
				return source.Artifact{Image: s.host + "/nowhere@" + nothing}
			},
			reason: v1alpha1.ReasonSourceNotFound, says: "registry HOST has no HOST/nowhere@" + nothing,
		},
		"no registry is there": {
			wanted: func(*shelf, source.Artifact) source.Artifact {
				return source.Artifact{Image: "127.0.0.1:1/web@" + nothing}
			},
			reason: v1alpha1.ReasonSourceUnreachable, says: "registry 127.0.0.1:1 does not answer for 127.0.0.1:1/web@" + nothing + ": ",
		},
		"the registry is broken": {door: all(http.StatusBadGateway), reason: v1alpha1.ReasonSourceUnreachable, says: "registry HOST cannot answer for IMAGE: 502 Bad Gateway; look at the registry"},
		"nobody is let in":       {door: all(http.StatusUnauthorized), reason: v1alpha1.ReasonSourceUnauthorized, says: "registry HOST does not let IMAGE be read with the given credentials, or it is not there; correct the credentials, or the name"},
		"this one is not let in": {door: all(http.StatusForbidden), reason: v1alpha1.ReasonSourceUnauthorized, says: "registry HOST does not let IMAGE be read"},
		"another content": {
			door:   blobs(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "flax") }),
			reason: v1alpha1.ReasonSourceCorrupt, says: "registry HOST answers for IMAGE with something that is not what its digest says; do not trust it: push the artifact again, and use the digest that the push tells",
		},
		"another manifest": {
			door: func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/manifests/") {
					return false
				}
				w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
				fmt.Fprint(w, "{}")
				return true
			},
			reason: v1alpha1.ReasonSourceCorrupt, says: "not what its digest says",
		},
		"content without an end": {
			door: blobs(func(w http.ResponseWriter, _ *http.Request) {
				for range 20 << 4 {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			}),
			reason: v1alpha1.ReasonSourceTooLarge, says: "IMAGE is larger than 10 MiB, or has more than 500 layers; push the manifests alone",
		},
		"a large layer": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact {
				return s.push("large", layer{source.FluxContent, strings.Repeat("x", 10<<20+1), nil})
			},
			reason: v1alpha1.ReasonSourceTooLarge, says: "is larger than 10 MiB",
		},
		"an index": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact {
				return s.writeIndex("index")
			},
			reason: v1alpha1.ReasonSourceUnusable, says: `is no artifact with layers, it is "application/vnd.oci.image.index.v1+json"; use the digest of the artifact itself, not that of an index`,
		},
		"nothing": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact { return s.push("nothing") },
			reason: v1alpha1.ReasonSourceUnusable, says: "is no artifact with layers",
		},
		"a tag": {
			wanted: func(s *shelf, _ source.Artifact) source.Artifact { return source.Artifact{Image: s.host + "/web:1"} },
			reason: v1alpha1.ReasonSourceUnusable, says: "does not name an artifact by its digest",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			wanted := s.push("team/web", layer{source.FluxContent, "flux", nil})
			if tc.wanted != nil {
				wanted = tc.wanted(s, wanted)
			}
			s.door = tc.door
			layers, err := artifact.Fetch(t.Context(), wanted, anonymous)
			var why *artifact.Failure
			if layers != nil || !errors.As(err, &why) {
				t.Fatalf("got %v, %v", layers, err)
			}
			says := strings.NewReplacer("HOST", s.host, "IMAGE", wanted.Image).Replace(tc.says)
			if why.Reason != tc.reason || !strings.Contains(why.Error(), says) || len(why.Error()) > 700 || strings.Contains(why.Error(), "\n") {
				t.Errorf("got  %s: %s\nwant %s: %s", why.Reason, why, tc.reason, says)
			}
		})
	}
}

func (s *shelf) writeIndex(path string) source.Artifact {
	s.Helper()
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: empty.Image})
	ref, err := name.ParseReference(s.host + "/" + path + ":1")
	s.must(err)
	s.must(remote.WriteIndex(ref, index))
	digest, err := index.Digest()
	s.must(err)
	return source.Artifact{Image: s.host + "/" + path + "@" + digest.String()}
}

func TestKeysAreThoseOfTheLongestPath(t *testing.T) {
	t.Parallel()
	keys, err := artifact.ReadKeys([]byte(`{"auths": {
		"registry.example.com": {"username": "all", "password": "p"},
		"https://registry.example.com/team/": {"username": "team", "password": "p"},
		"http://other.example.com:5000/v2/": {"auth": "b3RoZXI6cA=="}}, "credsStore": "run-me"}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"registry.example.com/web":       "all",
		"registry.example.com/team/web":  "team",
		"registry.example.com/teams/web": "all",
		"other.example.com:5000/web":     "other",
		"other.example.com/web":          "",
	} {
		repository, err := name.NewRepository(path)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := keys.Resolve(repository)
		if err != nil {
			t.Fatal(err)
		}
		held, err := authn.Authorization(t.Context(), auth)
		if err != nil || held.Username != want {
			t.Errorf("%s is read as %q, want %q (%v)", path, held.Username, want, err)
		}
	}
	for _, broken := range []string{"", "[]", `{"auths": {"x": {"auth": "%secret"}}}`} {
		if _, err := artifact.ReadKeys([]byte(broken)); err == nil || err.Error() != "it is no Docker config with auths" {
			t.Errorf("%q gives %v", broken, err)
		}
	}
}
