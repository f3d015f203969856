package source_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"spock.dev/spock/pkg/source"
)

func TestARenderingIsMadeOnceAndForgottenWhenOthersNeedTheRoom(t *testing.T) {
	t.Parallel()
	cache, made := source.NewCache(10), 0
	ask := func(name string) {
		t.Helper()
		text, err := cache.Render(source.KeyOf(source.Files{name: ""}), func() (string, error) { made++; return name + "....", nil })
		if err != nil || text != name+"...." {
			t.Fatalf("got %q, %v", text, err)
		}
	}
	for _, step := range []struct {
		name string
		made int
	}{{"a", 1}, {"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"b", 3}, {"a", 4}} {
		if ask(step.name); made != step.made {
			t.Errorf("after %s there were %d renderings, want %d", step.name, made, step.made)
		}
	}
}

func TestAFailureIsNotKept(t *testing.T) {
	t.Parallel()
	cache, key := source.NewCache(10), source.KeyOf(nil)
	if _, err := cache.Render(key, func() (string, error) { return "", errors.New("no") }); err == nil {
		t.Error("the failure was lost")
	}
	if text, err := cache.Render(key, func() (string, error) { return "yes", nil }); text != "yes" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestKeysTellContentsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.MapOf(rapid.StringMatching(`[ab]{0,2}`), rapid.StringMatching(`[ab]{0,2}`))
		a, b := files.Draw(t, "a"), files.Draw(t, "b")
		same := len(a) == len(b)
		for name, text := range a {
			other, ok := b[name]
			same = same && ok && text == other
		}
		if got := source.KeyOf(a, "x") == source.KeyOf(b, "x"); got != same {
			t.Errorf("%q and %q: the same key: %v, the same files: %v", a, b, got, same)
		}
	})
}
