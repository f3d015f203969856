package gobuild

import (
	"archive/tar"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	access "spock.dev/spock/pkg/registry"
)

// command makes a package with kodata and a binary of it, in a new place each time.
func command(t *testing.T) (Package, string) {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "src", "main.go"), "package main")
	write(t, filepath.Join(root, "src", "kodata", "pages", "index.html"), "<p>")
	if err := os.Symlink(filepath.Join(root, "src", "main.go"), filepath.Join(root, "src", "kodata", "link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "web"), "binary")
	return Package{ImportPath: "e/cmd/web", Name: "main", Dir: filepath.Join(root, "src")}, filepath.Join(root, "web")
}

func assemble(t *testing.T, base v1.Image) v1.Image {
	t.Helper()
	p, binary := command(t)
	image, err := Assemble(base, p, binary, Origin{Base: "b:1", BaseDigest: "sha256:01"})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestTheSameSourcesGiveTheSameDigest(t *testing.T) {
	t.Parallel()
	one, err := assemble(t, empty.Image).Digest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := assemble(t, empty.Image).Digest()
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("digests %s and %s differ", one, two)
	}
}

func TestAnImageHoldsTheCommandAsKoDoes(t *testing.T) {
	t.Parallel()
	image := assemble(t, empty.Image)
	want := map[string]string{
		"/ko-app": "dir", "/ko-app/web": "binary", "/var": "dir", "/var/run": "dir", "/var/run/ko": "dir",
		"/var/run/ko/link": "package main", "/var/run/ko/pages": "dir", "/var/run/ko/pages/index.html": "<p>",
	}
	if diff := cmp.Diff(want, files(t, image)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	wantConfig := v1.Config{
		Entrypoint: []string{"/ko-app/web"}, User: "65532",
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/ko-app", "KO_DATA_PATH=/var/run/ko"},
	}
	if diff := cmp.Diff(wantConfig, config.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Annotations["org.opencontainers.image.base.name"]; got != "b:1" {
		t.Errorf("annotations %v do not name the base", manifest.Annotations)
	}
}

func TestTheBaseKeepsItsUserAndPath(t *testing.T) {
	t.Parallel()
	base, err := mutate.Config(empty.Image, v1.Config{User: "1001", Env: []string{"PATH=/bin", "A=b", "KO_DATA_PATH=/old"}, Cmd: []string{"sh"}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := assemble(t, base).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{config.Config.User, strings.Join(config.Config.Env, " "), strings.Join(config.Config.Cmd, " ")}
	if diff := cmp.Diff([]string{"1001", "PATH=/bin:/ko-app A=b KO_DATA_PATH=/var/run/ko", ""}, got); diff != "" {
		t.Errorf("user, environment, command (-want +got):\n%s", diff)
	}
}

func TestPublishAndBase(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	repository := strings.TrimPrefix(server.URL, "http://") + "/shop"
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Registry{access.Access{Insecure: true}}.Publish(t.Context(), image, repository, "web", "0a1b")
	if err != nil {
		t.Fatal(err)
	}
	if want := repository + "/web@" + digest.String(); got != want {
		t.Errorf("reference %s, want %s", got, want)
	}
	_, again, err := Registry{access.Access{Insecure: true}}.Base(t.Context(), repository+"/web:0a1b", Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if again != digest.String() {
		t.Errorf("the tag has digest %s, want %s", again, digest)
	}
	if _, _, err := (Registry{}).Base(t.Context(), "NOT AN IMAGE", Platform{}); err == nil || !strings.HasPrefix(err.Error(), "base image NOT AN IMAGE: ") {
		t.Errorf("error %v does not name the base image", err)
	}
}

func files(t *testing.T, image v1.Image) map[string]string {
	t.Helper()
	reader := mutate.Extract(image)
	defer reader.Close()
	out := map[string]string{}
	for archive := tar.NewReader(reader); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		out["/"+strings.Trim(header.Name, "/")] = string(raw)
		if header.Typeflag == tar.TypeDir {
			out["/"+strings.Trim(header.Name, "/")] = "dir"
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
