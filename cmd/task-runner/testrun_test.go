package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/task/record"
)

// workspace is a folder with files in it.
func workspace(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// outcome is what a step has left.
type outcome struct {
	log, problem string
	results      map[string]string
}

// does runs a step of the Tasks in a workspace.
func does(t *testing.T, dir string, words ...string) outcome {
	t.Helper()
	results := t.TempDir()
	var log bytes.Buffer
	cmd := root()
	cmd.SetOut(&log)
	cmd.SetErr(&log)
	cmd.SetArgs(append([]string{words[0], "--results=" + results, "--workspace=" + dir}, words[1:]...))
	o := outcome{results: map[string]string{}}
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		o.problem = err.Error()
	}
	o.log = log.String()
	for _, name := range []string{"tests", "failures", "coverage"} {
		if raw, err := os.ReadFile(filepath.Join(results, name)); err == nil {
			o.results[name] = string(raw)
		}
	}
	return o
}

const reports = `<testsuite name="cart"><testcase classname="cart" name="adds"/><testcase classname="cart" name="pays"><failure message="want 3, got 4"/></testcase></testsuite>`

// TestWhatOtherTestsHaveLeft becomes results, report and record as that of Go's tests does.
func TestWhatOtherTestsHaveLeft(t *testing.T) {
	t.Parallel()
	dir := workspace(t, map[string]string{"app/reports/cart.xml": reports, "app/lcov.info": "SF:a.js\nDA:1,1\nDA:2,0\nend_of_record\n"})
	got := does(t, dir, "unit-test", "--subdirectory=app", "--junit=reports/*.xml", "--coverage=lcov.info", "--", "packages:", "flags:")
	if got.problem != "1 of 2 tests failed, 0 packages broken" || !strings.Contains(got.log, "--- FAIL: cart.pays: want 3, got 4\n") {
		t.Errorf("it fails with %q and says:\n%s", got.problem, got.log)
	}
	if diff := cmp.Diff(map[string]string{"tests": "2", "failures": "1", "coverage": "50.0"}, got.results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	report, err := os.ReadFile(filepath.Join(dir, ".spock", "unit-test.xml"))
	if err != nil || !strings.Contains(string(report), "want 3, got 4") {
		t.Errorf("the report is %s, %v", report, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, record.Directory, "unit-test.json"))
	var kept record.Record
	if err != nil || json.Unmarshal(raw, &kept) != nil {
		t.Fatalf("the record is %s, %v", raw, err)
	}
	if diff := cmp.Diff(&record.Tests{Passed: 1, Failed: 1, Coverage: "50.0", Failures: []string{"cart.pays"}}, kept.Tests); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeTaken(t *testing.T) {
	t.Parallel()
	dir := workspace(t, map[string]string{"r.xml": reports, "c.txt": "85%"})
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no report":            {[]string{"--junit=reports/*.xml"}, `junit "reports/*.xml": there is no report in ` + dir + "; is that where the tests leave them?"},
		"no coverage":          {[]string{"--junit=r.xml", "--coverage=lcov.info"}, `coverage "lcov.info": there is no such file in ` + dir},
		"another's coverage":   {[]string{"--junit=r.xml", "--coverage=c.txt"}, "coverage " + filepath.Join(dir, "c.txt") + ": this is neither a Go profile, nor LCOV, nor the XML of Cobertura or JaCoCo"},
		"coverage of no tests": {[]string{"--coverage=c.txt"}, "coverage: it goes with junit, for tests that others have run; go test tells its own"},
		"one that climbs":      {[]string{"--junit=../r.xml"}, `junit "../r.xml": it leaves the sources; give a pattern below them`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := does(t, dir, append(append([]string{"unit-test"}, tt.args...), "--", "packages:", "flags:")...)
			if got.problem != tt.want {
				t.Errorf("it says %q, want %q", got.problem, tt.want)
			}
			if got.results["tests"] != "" {
				t.Errorf("results %v", got.results)
			}
		})
	}
}

// TestAnIntegrationTestKeepsWhatItLeft, its log and its artifacts, also when it fails.
func TestAnIntegrationTestKeepsWhatItLeft(t *testing.T) {
	t.Parallel()
	dir, image := workspace(t, nil), workspace(t, map[string]string{"run.sh": "mkdir shots; echo $SPOCK_URL > shots/page.png; echo to stdout; exit 3"})
	got := does(t, dir, "integration-test", "--url=http://shop", "--directory="+image, "--", "env:", "artifacts:", "shots/*.png", "command:", "sh", "run.sh")
	if got.problem != "1 of 1 tests failed, 0 packages broken" {
		t.Errorf("it ends with %q:\n%s", got.problem, got.log)
	}
	for name, want := range map[string]string{"artifacts/shots/page.png": "http://shop\n", "integration-test.log": "to stdout\n"} {
		if raw, err := os.ReadFile(filepath.Join(dir, ".spock", name)); err != nil || string(raw) != want {
			t.Errorf("%s is %q, %v, want %q", name, raw, err, want)
		}
	}
	if got := does(t, dir, "integration-test", "--directory=tests", "--", "env:", "artifacts:", "command:", "true"); got.problem != `directory "tests": it is one of the image; begin it with /` {
		t.Errorf("it says %q", got.problem)
	}
}

// TestAStepThatHangsEndsWithItsResults: the test that hangs shows where, as one that failed.
func TestAStepThatHangsEndsWithItsResults(t *testing.T) {
	t.Parallel()
	dir := workspace(t, nil)
	got := does(t, dir, "integration-test", "--timeout=200ms", "--", "env:", "artifacts:", "command:", "sleep", "3600")
	if want := "not done after 200ms; see above what it was at, or give the param timeout more: 1 of 1 tests failed, 0 packages broken"; got.problem != want {
		t.Errorf("it ends with %q, want %q", got.problem, want)
	}
	if got.results["failures"] != "1" {
		t.Errorf("results %v", got.results)
	}
}
