package registry

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"spock.dev/spock/hack/cluster/internal/images"
)

func start(t *testing.T, dir string) http.Handler {
	t.Helper()
	h, err := New(dir, log.New(io.Discard, "", 0))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path, body string, kind types.MediaType) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", string(kind))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`

func TestAManifestSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := ask(start(t, dir), http.MethodPut, "/v2/team/app/manifests/v1", manifest, types.OCIManifestSchema1)
	if put.Code != http.StatusCreated {
		t.Fatalf("push answered %d %s", put.Code, put.Body)
	}
	digest := put.Header().Get("Docker-Content-Digest")
	again := start(t, dir)
	for _, ref := range []string{"v1", digest} {
		got := ask(again, http.MethodGet, "/v2/team/app/manifests/"+ref, "", "")
		if got.Code != http.StatusOK || got.Body.String() != manifest || got.Header().Get("Content-Type") != string(types.OCIManifestSchema1) {
			t.Errorf("after a restart %s is %d %v %s", ref, got.Code, got.Header(), got.Body)
		}
	}
}

func TestAnIndexSurvivesARestartAfterItsImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := start(t, dir)
	digest := ask(h, http.MethodPut, "/v2/z/manifests/image", manifest, types.OCIManifestSchema1).Header().Get("Docker-Content-Digest")
	index := `{"schemaVersion":2,"manifests":[{"mediaType":"` + string(types.OCIManifestSchema1) + `","size":1,"digest":"` + digest + `"}]}`
	if put := ask(h, http.MethodPut, "/v2/z/manifests/all", index, types.OCIImageIndex); put.Code != http.StatusCreated {
		t.Fatalf("pushing the index answered %d %s", put.Code, put.Body)
	}
	if got := ask(start(t, dir), http.MethodGet, "/v2/z/manifests/all", "", ""); got.Code != http.StatusOK {
		t.Errorf("after a restart the index is %d %s", got.Code, got.Body)
	}
}

func TestADeletedTagStaysDeleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := start(t, dir)
	ask(h, http.MethodPut, "/v2/a/manifests/v1", manifest, types.OCIManifestSchema1)
	ask(h, http.MethodDelete, "/v2/a/manifests/v1", "", "")
	if got := ask(start(t, dir), http.MethodGet, "/v2/a/manifests/v1", "", ""); got.Code != http.StatusNotFound {
		t.Errorf("after a restart the deleted tag is %d", got.Code)
	}
}

func TestARefusedManifestIsNotKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if put := ask(start(t, dir), http.MethodPut, "/v2/a/manifests/v1", "no json", types.OCIImageIndex); put.Code == http.StatusCreated {
		t.Fatal("the registry took an index that is no JSON")
	}
	start(t, dir)
}

func TestASeededImageCanBePulled(t *testing.T) {
	t.Parallel()
	layout, dir := t.TempDir(), t.TempDir()
	if err := images.Write(layout, images.Image{Ref: "registry.localhost:5000/base:1"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second `up` seeds the same registry again
		if err := Seed(dir, layout, "base", "1"); err != nil {
			t.Fatal(err)
		}
	}
	h := start(t, dir)
	if got := ask(h, http.MethodGet, "/v2/base/manifests/1", "", ""); got.Code != http.StatusOK {
		t.Fatalf("the seeded manifest is %d %s", got.Code, got.Body)
	}
	blobs, err := os.ReadDir(filepath.Join(dir, "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if got := ask(h, http.MethodGet, "/v2/base/blobs/sha256:"+b.Name(), "", ""); got.Code != http.StatusOK {
			t.Errorf("blob %s is %d", b.Name(), got.Code)
		}
	}
}
