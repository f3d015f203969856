package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordsComeBackInOrderOfTime(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	build := Record{Task: "build", Started: time.Unix(20, 0).UTC(), Finished: time.Unix(30, 0).UTC(), Images: []string{"web=r/web@sha256:01"}}
	test := Record{Task: "unit-test", Started: time.Unix(20, 0).UTC(), Tests: &Tests{Passed: 3, Coverage: "71.4"}}
	clone := Record{Task: "clone", Started: time.Unix(10, 0).UTC(), Commit: "0a1b"}
	for _, r := range []Record{test, build, clone} {
		if err := Write(workspace, r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(workspace)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Record{clone, build, test}, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	if got, err := Read(t.TempDir()); err != nil || got != nil {
		t.Errorf("Read = %v, %v; want nothing", got, err)
	}
}

func TestReadNamesTheBrokenRecord(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	path := filepath.Join(workspace, Directory, "build.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(workspace); err == nil || !strings.HasPrefix(err.Error(), "read record "+path) {
		t.Errorf("error %v does not name %s", err, path)
	}
}
