package build

import (
	"os"
	"path/filepath"
	"testing"
)

// module makes a folder with a go.mod and one program.
func module(t *testing.T, main string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module x\n", "go.sum": "", "cmd/p/main.go": main} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheKeyFollowsSourcesAndFlags(t *testing.T) {
	t.Parallel()
	set := Set{Name: "p", Dir: ".", Packages: []string{"./cmd/p"}, Ldflags: "-s"}
	key := func(s Set, dir string) string {
		k, err := s.Key(dir)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	want := key(set, module(t, "package main"))
	if got := key(set, module(t, "package main")); got != want {
		t.Errorf("the same sources in another folder have the key %s, want %s", got, want)
	}
	if key(set, module(t, "package main // changed")) == want {
		t.Error("changed sources have the same key")
	}
	flags := set
	flags.Ldflags = "-s -w"
	if key(flags, module(t, "package main")) == want {
		t.Error("other flags have the same key")
	}
}

func TestSetsHaveDifferentNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range Sets() {
		if seen[s.Name] {
			t.Errorf("two sets are called %s and would share a cache entry", s.Name)
		}
		seen[s.Name] = true
	}
}
