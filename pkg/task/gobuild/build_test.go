package gobuild

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	access "spock.dev/spock/pkg/registry"
	"spock.dev/spock/pkg/task/toolchain"
)

// host is a registry in memory with a base image.
func host(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	ref, err := name.ParseReference(address + "/base:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, empty.Image); err != nil {
		t.Fatal(err)
	}
	return address
}

func module(t *testing.T, main string) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module example.com/shop\n\ngo 1.24\n")
	write(t, filepath.Join(root, "lib", "lib.go"), "package lib\n")
	write(t, filepath.Join(root, "cmd", "web", "main.go"), main)
	return root
}

func TestRunBuildsAModule(t *testing.T) {
	t.Parallel()
	address := host(t)
	var out bytes.Buffer
	tools := toolchain.Toolchain{Directory: module(t, "package main\n\nfunc main() {}\n"), Log: &out}
	request := Request{Packages: []string{"./..."}, Repository: address + "/shop", Tag: "0a1b", Base: address + "/base:1"}
	images, err := Run(t.Context(), tools, Registry{access.Access{Insecure: true}}, request)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if len(images) != 1 || images[0].Service != "web" || !strings.HasPrefix(images[0].Reference, address+"/shop/web@sha256:") {
		t.Fatalf("images %v, want web alone by digest", images)
	}
	image, _, err := Registry{access.Access{Insecure: true}}.Base(t.Context(), images[0].Reference, Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if binary := files(t, image)["/ko-app/web"]; !strings.HasPrefix(binary, "\x7fELF") {
		t.Errorf("/ko-app/web begins with %.8q, not with an ELF header", binary)
	}
	again, err := Run(t.Context(), tools, Registry{access.Access{Insecure: true}}, request)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(images, again); diff != "" {
		t.Errorf("a second build differs (-first +second):\n%s", diff)
	}
}

func TestRunShowsWhatTheCompilerSays(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	root := module(t, "package main\n\nfunc main() { nowhere() }\n")
	_, err := Run(t.Context(), toolchain.Toolchain{Directory: root, Log: &out}, Registry{}, Request{Packages: []string{"./cmd/..."}})
	if want := "go build in " + root + ": exit status 1"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if !strings.Contains(out.String(), "undefined: nowhere") {
		t.Errorf("the log does not hold the compiler's words:\n%s", out.String())
	}
}
