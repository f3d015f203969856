// Package result writes what a step of a Tekton Task hands on: one small file per result.
//
// Values are written without a trailing newline. A text that Tekton would read as an
// array or object is refused where text was meant: its type would change silently on the
// way to the next task.
package result

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Directory is where Tekton expects the results of a step.
const Directory = "/tekton/results"

// Writer writes results into a directory.
type Writer struct {
	// Directory of the result files.
	Directory string
	// Files by the name of the result, for those that go elsewhere: a step of a StepAction
	// has places of its own, which only Tekton knows.
	Files map[string]string
}

// Text writes a string result. Surrounding blanks are dropped.
func (w Writer) Text(name, value string) error {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "[") && json.Valid([]byte(value)) {
		return fmt.Errorf("write result %s: %q is a JSON array and would not stay text", name, value)
	}
	return w.write(name, []byte(value))
}

// Texts writes string results; the first error ends it.
func (w Writer) Texts(values map[string]string) error {
	for name, value := range values {
		if err := w.Text(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Array writes an array result.
func (w Writer) Array(name string, values []string) error {
	if values == nil {
		values = []string{}
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("write result %s: %w", name, err)
	}
	return w.write(name, raw)
}

func (w Writer) write(name string, value []byte) error {
	path, named := w.Files[name]
	if !named {
		path = filepath.Join(w.Directory, name)
	}
	if err := os.WriteFile(path, value, 0o644); err != nil {
		return fmt.Errorf("write result %s: %w", name, err)
	}
	return nil
}

// Outcome of tests in one word.
type Outcome string

// The outcomes of the TEST_OUTPUT convention.
const (
	Success Outcome = "SUCCESS"
	Failure Outcome = "FAILURE"
	Warning Outcome = "WARNING"
	Skipped Outcome = "SKIPPED"
	Error   Outcome = "ERROR"
)

// Test is the value of the TEST_OUTPUT result, as Konflux defines it. Its numbers keep
// Tekton from taking it for an object result.
type Test struct {
	Result    Outcome `json:"result"`
	Namespace string  `json:"namespace"`
	Timestamp string  `json:"timestamp"`
	Note      string  `json:"note"`
	Successes int     `json:"successes"`
	Failures  int     `json:"failures"`
	Warnings  int     `json:"warnings"`
}

// NewTest judges counts: an error outweighs failures, and no test at all is skipped.
func NewTest(passed, failed, errors int, note string, now time.Time) Test {
	t := Test{Namespace: "default", Timestamp: now.UTC().Format(time.RFC3339), Note: note, Successes: passed, Failures: failed}
	switch {
	case errors > 0:
		t.Result = Error
	case failed > 0:
		t.Result = Failure
	case passed == 0:
		t.Result = Skipped
	default:
		t.Result = Success
	}
	return t
}

// JSON is the text of the result.
func (t Test) JSON() string {
	raw, err := json.Marshal(t)
	if err != nil { // strings and integers always have a JSON form
		panic(err)
	}
	return string(raw)
}
