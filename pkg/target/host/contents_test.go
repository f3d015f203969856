//go:build hosts

package host

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// published is an archive on a server of its own: the test's program as `app-1/bin/app`, and
// a script beside it that needs a shell and libraries of the machine.
func published(t *testing.T) (url, sum string) {
	t.Helper()
	program, err := os.ReadFile(tools.app)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	packed := gzip.NewWriter(&raw)
	out := tar.NewWriter(packed)
	for _, f := range []struct {
		name, link string
		kind       byte
		content    []byte
	}{
		{name: "app-1/", kind: tar.TypeDir},
		{name: "app-1/bin/app", kind: tar.TypeReg, content: program},
		{name: "app-1/bin/start", kind: tar.TypeReg, content: []byte("#!/bin/bash\nexec /app/current/app \"$@\"\n")},
		{name: "app-1/current", kind: tar.TypeSymlink, link: "bin"},
		{name: "README", kind: tar.TypeReg, content: []byte("stripped away")},
	} {
		if err := out.WriteHeader(&tar.Header{Name: f.name, Typeflag: f.kind, Linkname: f.link, Mode: 0o755, Size: int64(len(f.content))}); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Write(f.content)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw.Bytes()) }))
	t.Cleanup(server.Close)
	digest := sha256.Sum256(raw.Bytes())
	return server.URL + "/app-1.tar.gz", hex.EncodeToString(digest[:])
}

func comes(t *testing.T, made *Target, changed <-chan types.NamespacedName, name string, is func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	return observed(t, made, changed, name, name+" is as expected", is)
}

func gone(t *testing.T, made *Target, changed <-chan types.NamespacedName, name string) {
	t.Helper()
	o := comes(t, made, changed, name, func(o *unstructured.Unstructured) bool { return o != nil })
	if err := made.Delete(t.Context(), shop, keyOf(name), o.GetUID()); err != nil {
		t.Fatal(err)
	}
	comes(t, made, changed, name, func(o *unstructured.Unstructured) bool { return o == nil })
}

// without is app with other contents than an image.
func without(port int64, change func(map[string]any)) map[string]any {
	spec := app(port)
	delete(spec, "image")
	change(spec)
	return spec
}

func TestAnArchiveRunsBesideTheMachinesOwnPrograms(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	root := dial(t, b.login(t, "root"))
	before := ask(t, root, leftovers)
	url, sum := published(t)
	spec := func(sum string) map[string]any {
		return without(8080, func(s map[string]any) {
			s["archive"] = map[string]any{"url": url, "sha256": sum, "strip": int64(1)}
			s["exec"], s["workDir"] = []any{"/app/bin/start", "--greet"}, "/app"
			s["files"] = []any{map[string]any{"path": "/app/conf/app.conf", "content": "level=info"}, map[string]any{"path": "/etc/app/app.conf", "content": "level=debug"}}
		})
	}

	wrong := strings.Repeat("0", 64)
	if err := made.Apply(t.Context(), shop, wanted("web", "h0", spec(wrong)), true); err != nil {
		t.Fatal(err)
	}
	o := comes(t, made, changed, "web", phase(Failed))
	if class, why := said(o, "status", "cause", "class"), said(o, "status", "cause", "message"); class != string(v1alpha1.CauseImage) || !strings.Contains(why, url+" has the SHA-256 "+sum+", and not "+wrong) {
		t.Errorf("a wrong digest is %s: %s", class, why)
	}

	if err := made.Apply(t.Context(), shop, wanted("web", "h1", spec(sum)), true); err != nil {
		t.Fatal(err)
	}
	comes(t, made, changed, "web", phase(Running))
	get := func(path string) string { return ask(t, root, "curl -s 'http://127.0.0.1:8080"+path+"'") }
	for path, want := range map[string]string{
		"/read?path=/app/conf/app.conf": "level=info<nil>",
		"/read?path=/etc/app/app.conf":  "level=debug<nil>",
		"/write?path=/data/x":           "<nil>",
		"/env?name=PASSWORD":            "hush of db/password",
	} {
		if got := get(path); got != want {
			t.Errorf("%s gives %q, want %q", path, got, want)
		}
	}
	if got := get("/read?path=/etc/os-release"); !strings.Contains(got, "Debian") {
		t.Errorf("of the machine it sees %q", got)
	}
	for _, path := range []string{"/write?path=/app/x", "/write?path=/etc/x", "/read?path=/etc/shadow", "/read?path=/var/lib/spock/releases", "/read?path=/README"} {
		if got := get(path); strings.HasSuffix(got, "<nil>") {
			t.Errorf("%s is allowed: %q", path, got)
		}
	}
	gone(t, made, changed, "web")
	if after := ask(t, root, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestAPackageIsInstalledBeforeAServiceStarts(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	root := dial(t, b.login(t, "root"))
	before := ask(t, root, leftovers)
	program := func(install string) map[string]any {
		return without(8080, func(s map[string]any) {
			s["exec"], s["ready"] = []any{"/usr/local/bin/napper", "infinity"}, []any{"0", "none"}
			s["package"] = map[string]any{"install": []any{"sh", "-c", install}, "remove": []any{"rm", "/usr/local/bin/napper"}}
			delete(s, "volumes")
		})
	}
	const install = `cp --remove-destination /bin/sleep /usr/local/bin/napper && echo 'it''s installed' >> /tmp/installed`
	apply := func(name, hash string, spec map[string]any) {
		t.Helper()
		if err := made.Apply(t.Context(), shop, wanted(name, hash, spec), true); err != nil {
			t.Fatal(err)
		}
	}
	apply("web", "h0", program("echo nothing of that name; exit 100"))
	o := comes(t, made, changed, "web", phase(Failed))
	if class, why := said(o, "status", "cause", "class"), said(o, "status", "cause", "message"); class != string(PackageFailed) || !strings.Contains(why, "sh: nothing of that name") {
		t.Errorf("a package that is not there is %s: %s", class, why)
	}
	apply("web", "h1", program(install))
	comes(t, made, changed, "web", phase(Running))
	second := program(install)
	second["ports"] = []any{int64(8081)}
	apply("worker", "h1", second)
	comes(t, made, changed, "worker", phase(Running))
	gone(t, made, changed, "web")
	if there := ask(t, root, "ls /usr/local/bin/napper"); there != "/usr/local/bin/napper" {
		t.Errorf("what worker needs: %s", there)
	}
	gone(t, made, changed, "worker")
	if after := ask(t, root, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
