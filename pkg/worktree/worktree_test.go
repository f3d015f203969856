package worktree

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// run runs git in a directory, without the configuration of who runs the tests.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// changed is a tree with a commit, and a change to each kind of file behind it.
func changed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "init", "--quiet")
	write(t, dir, map[string]string{"go.mod": "module example.com/shop\n", "gone.go": "package shop\n", ".gitignore": "bin/\n", "cmd/web/main.go": "package main\n"})
	run(t, dir, "add", "--all")
	run(t, dir, "commit", "--quiet", "-m", "begin")
	run(t, dir, "remote", "add", "origin", "https://ann:secret@git.example.com/shop.git")
	write(t, dir, map[string]string{"cmd/web/main.go": "package main // changed\n", "new.go": "package shop // new\n", "bin/web": "ignored"})
	if err := os.Remove(filepath.Join(dir, "gone.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("new.go", filepath.Join(dir, "link.go")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"test.sh": "#!/bin/sh\n"})
	if err := os.Chmod(filepath.Join(dir, "test.sh"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents of a directory by name, with what a name is when it is no plain file.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if target, err := os.Readlink(path); err == nil {
			found[name] = "-> " + target
			return nil
		}
		raw, err := os.ReadFile(path)
		info, _ := e.Info()
		if info != nil && info.Mode()&0o100 != 0 {
			name += " (x)"
		}
		found[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestATreeArrivesAsItIs(t *testing.T) {
	t.Parallel()
	dir := changed(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ctx := context.Background()
	tree, err := Open(ctx, filepath.Join(dir, "cmd"))
	if err != nil {
		t.Fatal(err)
	}
	image, err := tree.Pack()
	if err != nil {
		t.Fatal(err)
	}
	reference, err := Registry{}.Push(ctx, image, strings.TrimPrefix(server.URL, "http://")+"/team-a/trees")
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := Registry{}.Pull(ctx, reference)
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	origin, err := Unpack(pulled, to)
	if err != nil {
		t.Fatal(err)
	}
	want := Origin{Commit: run(t, dir, "rev-parse", "HEAD"), Remote: "https://git.example.com/shop.git", Dirty: true}
	if diff := cmp.Diff(want, origin); diff != "" {
		t.Errorf("origin (-want +got):\n%s", diff)
	}
	files := map[string]string{
		".gitignore": "bin/\n", "go.mod": "module example.com/shop\n", "cmd/web/main.go": "package main // changed\n",
		"new.go": "package shop // new\n", "link.go": "-> new.go", "test.sh (x)": "#!/bin/sh\n",
	}
	if diff := cmp.Diff(files, contents(t, to)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestTheSameTreeHasTheSameDigest(t *testing.T) {
	t.Parallel()
	dir := changed(t)
	digest := func() string {
		tree, err := Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		image, err := tree.Pack()
		if err != nil {
			t.Fatal(err)
		}
		d, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	first := digest()
	write(t, dir, map[string]string{"bin/web": "built anew", "new.go": "package shop // new\n"})
	if second := digest(); second != first {
		t.Errorf("the digest is %s, and %s after nothing has changed that belongs to the tree", first, second)
	}
	write(t, dir, map[string]string{"new.go": "package shop // newer\n"})
	if third := digest(); third == first {
		t.Errorf("another tree has the same digest %s", first)
	}
}

func TestWhatIsNoTreeIsRefused(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), changed(t)
	run(t, filepath.Join(dir, "cmd"), "init", "--quiet", "inner")
	write(t, dir, map[string]string{"cmd/inner/x": "x"})
	run(t, filepath.Join(dir, "cmd", "inner"), "add", "x")
	run(t, filepath.Join(dir, "cmd", "inner"), "commit", "--quiet", "-m", "x")
	foreign, err := random.Image(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"git has to know what belongs to it":                               func() error { _, err := Open(ctx, t.TempDir()); return err },
		"cmd/inner/ is a repository of its own":                            func() error { _, err := Open(ctx, dir); return err },
		"name it by digest":                                                func() error { _, err := Registry{}.Pull(ctx, "registry.example.com/trees:1"); return err },
		`repository "Not One"`:                                             func() error { _, err := Registry{}.Push(ctx, foreign, "Not One"); return err },
		"is of type application/vnd.docker.container.image.v1+json and no": func() error { _, err := Unpack(foreign, t.TempDir()); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

// hostile is an archive with one entry after a link.
func hostile(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestNothingIsWrittenOutsideOfTheWorkspace(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]tar.Header{
		"a way up":           {{Name: "../x", Typeflag: tar.TypeReg, Size: 1}},
		"an absolute path":   {{Name: "/x", Typeflag: tar.TypeReg, Size: 1}},
		"through a link":     {{Name: "l", Linkname: "..", Typeflag: tar.TypeSymlink}, {Name: "l/x", Typeflag: tar.TypeReg, Size: 1}},
		"a link to the root": {{Name: "l", Linkname: "/", Typeflag: tar.TypeSymlink}, {Name: "l/tmp/x", Typeflag: tar.TypeReg, Size: 1}},
		"over a link":        {{Name: "l", Linkname: "../x", Typeflag: tar.TypeSymlink}, {Name: "l", Typeflag: tar.TypeReg, Size: 1}},
		"a device":           {{Name: "x", Typeflag: tar.TypeChar}},
		"a hard link":        {{Name: "x", Linkname: "/etc/passwd", Typeflag: tar.TypeLink}},
	} {
		above := t.TempDir()
		inside := filepath.Join(above, "inside")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(inside)
		if err != nil {
			t.Fatal(err)
		}
		if err := unpack(bytes.NewReader(hostile(t, headers...)), root); err == nil {
			t.Errorf("%s: it was unpacked", name)
		}
		_ = root.Close()
		if left, _ := os.ReadDir(above); len(left) != 1 {
			t.Errorf("%s: above the workspace there is %v", name, left)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, content []byte) {
		above := t.TempDir()
		if err := os.Mkdir(filepath.Join(above, "inside"), 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(filepath.Join(above, "inside"))
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		_ = unpack(bytes.NewReader(content), root) // that it is refused is as good
		if left, _ := os.ReadDir(above); len(left) != 1 {
			t.Fatalf("above the workspace there is %v", left)
		}
	})
}
