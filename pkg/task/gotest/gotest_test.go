package gotest

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/task/junit"
)

var update = flag.Bool("update", false, "write the golden files")

// stream collects the recorded run: a passing, a failing, a skipped and a panicking test,
// a package that does not build, one without tests, and a line that is no event.
func stream(t *testing.T) (*Collector, string) {
	t.Helper()
	raw, err := os.Open("testdata/stream.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var collector Collector
	var log bytes.Buffer
	if err := read(raw, &collector, &log); err != nil {
		t.Fatal(err)
	}
	return &collector, log.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	collector, log := stream(t)
	golden(t, "log.txt", log)
	report := collector.Report()
	xml, err := junit.Marshal(report.JUnit())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.xml", string(xml))
	if diff := cmp.Diff(Counts{Passed: 3, Failed: 3, Skipped: 1, Errors: 1}, report.Counts()); diff != "" {
		t.Errorf("Counts (-want +got):\n%s", diff)
	}
	want := []string{"example.com/shop/broken", "example.com/shop/cart.TestRemove/the_last_one", "example.com/shop/panics.TestPanics"}
	if diff := cmp.Diff(want, report.Failures(10)); diff != "" {
		t.Errorf("Failures (-want +got):\n%s", diff)
	}
}

func TestAStreamThatBreaksOffIsAFailure(t *testing.T) {
	t.Parallel()
	var c Collector
	c.Line([]byte(`{"Action":"start","Package":"p"}`))
	c.Line([]byte(`{"Action":"run","Package":"p","Test":"TestLong"}`))
	want := Report{Packages: []Package{{Name: "p", Outcome: Failed, Tests: []Test{{Name: "TestLong", Outcome: Failed, Output: "the test did not end\n"}}}}}
	if diff := cmp.Diff(want, c.Report()); diff != "" {
		t.Errorf("Report (-want +got):\n%s", diff)
	}
}

func TestLinesThatAreNoEventsAreShown(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "plain", `{"not": "an event"}`, `{broken`} {
		var c Collector
		if got := c.Line([]byte(line)); got != line+"\n" || c.Seen() {
			t.Errorf("Line(%q) = %q, seen %v", line, got, c.Seen())
		}
	}
}

func TestRunReportsAlsoWhenTheCommandFails(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	collector, err := Run(t.Context(), exec.Command("go", "test", "-json", "./testdata/nowhere"), &log)
	if err == nil || !strings.HasPrefix(err.Error(), "run go: exit status") {
		t.Errorf("error %v, want the exit status", err)
	}
	if collector.Report().Counts().Errors == 0 && log.Len() == 0 {
		t.Error("neither the report nor the log says what went wrong")
	}
}
