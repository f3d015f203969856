package node

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func spec() Spec {
	return Spec{Plan: plan.Plan{Name: "demo", Index: 1}, State: "/state", Self: "/state/run/cluster",
		Kubebox: "/cache/kubebox", ModCache: "/modules", Pause: "node.local/pause:1"}
}

func TestFilesMatchTheirGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, got := range spec().files() {
		golden := filepath.Join("testdata", strings.NewReplacer("/", "_", ":", "_").Replace(name))
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got; -update rewrites):\n%s", name, diff)
		}
	}
}

func TestEveryProcessHasItsOwnLog(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range spec().processes() {
		if seen[p.name] {
			t.Errorf("two processes are called %s and would share a log", p.name)
		}
		seen[p.name] = true
		if !filepath.IsAbs(p.argv[0]) {
			t.Errorf("%s starts %q: it must not depend on a search path", p.name, p.argv[0])
		}
	}
}

func TestASpecSurvivesItsFile(t *testing.T) {
	t.Parallel()
	want := spec()
	want.State = state.Dir(t.TempDir())
	if err := os.MkdirAll(want.State.Conf(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := want.save(); err != nil {
		t.Fatal(err)
	}
	got, err := Load(want.file())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}
