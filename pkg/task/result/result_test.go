package result

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
)

func TestWhatTektonReads(t *testing.T) {
	t.Parallel()
	w := Writer{Directory: t.TempDir()}
	test := NewTest(3, 1, 0, "1 of 4 tests failed", time.Unix(0, 0))
	must(t, w.Texts(map[string]string{"url": "", "commit": " 0a1b\n", "coverage": "71.4", "TEST_OUTPUT": test.JSON()}))
	must(t, w.Array("services", []string{"a=r/a@sha256:01", "b=r/b@sha256:02"}))
	must(t, w.Array("none", nil))
	tests := map[string]struct {
		name string
		want pipelinev1.ParamValue
	}{
		"an empty text stays text":      {name: "url", want: *pipelinev1.NewStructuredValues("")},
		"blanks around a text are gone": {name: "commit", want: *pipelinev1.NewStructuredValues("0a1b")},
		"a number stays text":           {name: "coverage", want: *pipelinev1.NewStructuredValues("71.4")},
		"TEST_OUTPUT stays text": {name: "TEST_OUTPUT", want: *pipelinev1.NewStructuredValues(
			`{"result":"FAILURE","namespace":"default","timestamp":"1970-01-01T00:00:00Z","note":"1 of 4 tests failed","successes":3,"failures":1,"warnings":0}`)},
		"an array is an array":       {name: "services", want: *pipelinev1.NewStructuredValues("a=r/a@sha256:01", "b=r/b@sha256:02")},
		"an empty array is an array": {name: "none", want: pipelinev1.ParamValue{Type: pipelinev1.ParamTypeArray, ArrayVal: []string{}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(w.Directory, tt.name))
			if err != nil {
				t.Fatal(err)
			}
			var got pipelinev1.ParamValue
			must(t, got.UnmarshalJSON(raw))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("as Tekton reads %q (-want +got):\n%s", raw, diff)
			}
		})
	}
}

func TestAResultWithAPlaceOfItsOwn(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "commit")
	w := Writer{Directory: t.TempDir(), Files: map[string]string{"commit": elsewhere}}
	must(t, w.Texts(map[string]string{"commit": "0a1b", "url": "https://git.example.com"}))
	got := map[string]string{}
	for _, path := range []string{elsewhere, filepath.Join(w.Directory, "url")} {
		raw, err := os.ReadFile(path)
		must(t, err)
		got[filepath.Base(path)] = string(raw)
	}
	if diff := cmp.Diff(map[string]string{"commit": "0a1b", "url": "https://git.example.com"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(w.Directory, "commit")); !os.IsNotExist(err) {
		t.Errorf("the result is in the directory too: %v", err)
	}
}

func TestTextRefusesAnArray(t *testing.T) {
	t.Parallel()
	err := Writer{Directory: t.TempDir()}.Text("note", `["a"]`)
	if want := `write result note: "[\"a\"]" is a JSON array and would not stay text`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestNewTest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		passed, failed, errors int
		want                   Outcome
	}{
		"all passed":                 {passed: 2, want: Success},
		"one failed":                 {passed: 2, failed: 1, want: Failure},
		"what did not build":         {passed: 2, failed: 1, errors: 1, want: Error},
		"no tests are skipped tests": {want: Skipped},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := NewTest(tt.passed, tt.failed, tt.errors, "", time.Unix(0, 0))
			if got.Result != tt.want {
				t.Errorf("result %s, want %s", got.Result, tt.want)
			}
			if !json.Valid([]byte(got.JSON())) {
				t.Errorf("not JSON: %s", got.JSON())
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
