package images

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// entries reads a layer back as name -> what it is.
func entries(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	r := tar.NewReader(zip)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = string(h.Typeflag) + h.Linkname + string(body) + h.PAXRecords["SCHILY.xattr."+capabilities]
	}
}

func layer(t *testing.T, fill func(*tar.Writer) error) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar.gz")
	if err := Layer(file, fill); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAdd(t *testing.T) {
	t.Parallel()
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, []byte("from disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := entries(t, layer(t, func(w *tar.Writer) error {
		return Add(w, File{Name: "etc/", Mode: 0o755}, File{Name: "etc/a", Data: "text"},
			File{Name: "b", From: src}, File{Name: "c", Link: "b"}, File{Name: "empty"})
	}))
	want := map[string]string{"etc/": "5", "etc/a": "0text", "b": "0from disk", "c": "2b", "empty": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestAddTree(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, content := range map[string]string{"bin/tool": "x", "doc/long": "y", "keep": "z"} {
		p := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("bin/tool", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	got := entries(t, layer(t, func(w *tar.Writer) error {
		return AddTree(w, root, "opt", func(rel string) bool { return rel == "doc" })
	}))
	want := map[string]string{"opt/bin/": "5", "opt/bin/tool": "0x", "opt/keep": "0z", "opt/link": "2bin/tool"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestARemovedFileIsMarked(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := syscall.Mknod(filepath.Join(root, "gone"), syscall.S_IFCHR, 0); err != nil {
		t.Skip("making overlayfs's mark of a removed file needs root:", err)
	}
	got := entries(t, layer(t, func(w *tar.Writer) error {
		return AddTree(w, root, "", func(string) bool { return false })
	}))
	if diff := cmp.Diff(map[string]string{".wh.gone": "0"}, got); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestCapabilitiesOfAProgramAreKept(t *testing.T) {
	t.Parallel()
	root, setuid := t.TempDir(), "\x01\x00\x00\x02\x80"+strings.Repeat("\x00", 15)
	program := filepath.Join(root, "program")
	if err := os.WriteFile(program, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(program, capabilities, []byte(setuid), 0); err != nil {
		t.Skip("giving a program capabilities needs root:", err)
	}
	got := entries(t, layer(t, func(w *tar.Writer) error {
		return AddTree(w, root, "", func(string) bool { return false })
	}))
	if diff := cmp.Diff(map[string]string{"program": "0x" + setuid}, got); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestEqualContentGivesEqualImages(t *testing.T) {
	t.Parallel()
	digest := func() string {
		file := layer(t, func(w *tar.Writer) error { return Add(w, File{Name: "a", Data: "x", Mode: 0o644}) })
		dir := t.TempDir()
		if err := Write(dir, Image{Ref: "registry.localhost:5000/a:1", Layers: []string{file}, Config: v1.Config{User: "1"}}); err != nil {
			t.Fatal(err)
		}
		h, _, err := Manifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		return h.String()
	}
	if a, b := digest(), digest(); a != b {
		t.Errorf("digests %s and %s, want the same", a, b)
	}
}

func TestWriteNamesTheImageForContainerd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Write(dir, Image{Ref: "node.local/a:1"}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	if got := index.Manifests[0].Annotations[containerdName]; got != "node.local/a:1" {
		t.Errorf("the index names the image %q, want node.local/a:1:\n%s", got, raw)
	}
}
