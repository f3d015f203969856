package cache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T) Cache {
	t.Helper()
	c, err := At(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnsureMakesAnEntryOnce(t *testing.T) {
	t.Parallel()
	c, made := open(t), 0
	fill := func(dir string) error {
		made++
		return os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o644)
	}
	for range 3 {
		dir, err := c.Ensure("thing", "k1", fill)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "f")); err != nil {
			t.Errorf("the entry has no file: %v", err)
		}
	}
	if made != 1 {
		t.Errorf("made the entry %d times, want once", made)
	}
}

func TestAFailedEntryIsMadeAgainFromNothing(t *testing.T) {
	t.Parallel()
	c, broken := open(t), errors.New("broken")
	_, err := c.Ensure("thing", "k1", func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("Ensure = %v, want the maker's error", err)
	}
	if dir, ok := c.Has("thing", "k1"); ok {
		t.Fatalf("%s exists after a failure", dir)
	}
	dir, err := c.Ensure("thing", "k1", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); err == nil {
		t.Error("the entry has a file of the failed attempt")
	}
}

func TestANewerEntryLeavesARecentOneAlone(t *testing.T) {
	t.Parallel()
	c, nothing := open(t), func(string) error { return nil }
	for _, key := range []string{"k1", "k2"} {
		if _, err := c.Ensure("thing", key, nothing); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.Has("thing", "k1"); !ok {
		t.Error("k1 was removed though a running cluster may still use it")
	}
}

func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"one part":                      Key("ab"),
		"the same letters in two parts": Key("a", "b"),
		"the same parts, other order":   Key("b", "a"),
		"an empty part more":            Key("a", "b", ""),
		"no part":                       Key(),
		"one empty part":                Key(""),
	}
	seen := map[string]string{}
	for name, k := range keys {
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have the key %s", name, other, k)
		}
		seen[k] = name
	}
}
