package content

import (
	"strings"
	"testing"

	"spock.dev/spock/hack/cluster/internal/images"
	"spock.dev/spock/hack/cluster/internal/plan"
)

func TestTheRegistryOfTheImagesIsTheClusters(t *testing.T) {
	t.Parallel()
	for i := range plan.Max {
		p := plan.Plan{Name: "a", Index: i}
		if got := p.PodRegistry() + "/"; got != PodRegistry {
			t.Errorf("index %d: pods know the registry as %s, images are named after %s", i, got, PodRegistry)
		}
	}
}

func TestInRegistry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ref, repo, tag string
		ok             bool
	}{
		"a public base is in the registry":    {ref: "registry.localhost:5000/debian:12", repo: "debian", tag: "12", ok: true},
		"an image of the node alone is not":   {ref: Pause},
		"Tekton's programs are on the node":   {ref: Tekton("pipeline", "webhook")},
		"a nested repository keeps its slash": {ref: PodRegistry + "a/b:c", repo: "a/b", tag: "c", ok: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, tag, ok := Made{Ref: tc.ref}.InRegistry()
			if ok != tc.ok || (ok && (repo != tc.repo || tag != tc.tag)) {
				t.Errorf("InRegistry(%s) = %q, %q, %v; want %q, %q, %v", tc.ref, repo, tag, ok, tc.repo, tc.tag, tc.ok)
			}
		})
	}
}

func TestTheKeyOfAFewFilesCoversWhatIsInThem(t *testing.T) {
	t.Parallel()
	key := func(f images.File) string {
		l, err := files("x", f)
		if err != nil {
			t.Fatal(err)
		}
		return l.key
	}
	base := images.File{Name: "a", Data: "1", Mode: 0o644}
	for name, change := range map[string]func(*images.File){
		"content": func(f *images.File) { f.Data = "2" }, "mode": func(f *images.File) { f.Mode = 0o600 },
		"owner": func(f *images.File) { f.UID = 1 }, "name": func(f *images.File) { f.Name = "b" },
	} {
		other := base
		change(&other)
		if key(base) == key(other) {
			t.Errorf("a file of another %s has the same key", name)
		}
	}
}

func TestSkipDebian(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"usr/share/doc": false, "usr/share/doc/git": true, "usr/share/docs": false, "tmp": false, "tmp/x": true,
		"etc/resolv.conf": true, "etc/resolv.conf.d": false, "usr/bin/git": false,
	} {
		if got := skipDebian(path); got != want {
			t.Errorf("skipDebian(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestThePostgresScriptAsksForAPasswordInOneSentence(t *testing.T) {
	t.Parallel()
	if !strings.Contains(postgresScript, "set POSTGRES_PASSWORD") {
		t.Errorf("the script does not say what to set:\n%s", postgresScript)
	}
}
