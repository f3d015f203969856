// Package record keeps what each task of a pipeline did in a file of the shared
// workspace, so that the summary at the end can tell all of it. Results cannot do that: a
// finally task that names a result of a task that did not get so far is skipped.
package record

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Directory is the place of the records below the root of a workspace.
const Directory = ".spock"

// Record is what one task did.
type Record struct {
	// Task that did it: clone, build, unit-test, deploy, integration-test.
	Task string `json:"task"`
	// Started and Finished bound the work.
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Error is the sentence with which it failed; empty when it did not.
	Error string `json:"error,omitempty"`
	// Commit and Repository are set by clone.
	Commit     string `json:"commit,omitempty"`
	Repository string `json:"repository,omitempty"`
	// Images are `name=reference@digest`, set by build.
	Images []string `json:"images,omitempty"`
	// Tests is set by the test tasks.
	Tests *Tests `json:"tests,omitempty"`
	// Environment, Phase and URL are set by deploy.
	Environment string `json:"environment,omitempty"`
	Phase       string `json:"phase,omitempty"`
	URL         string `json:"url,omitempty"`
	// Services are the images that run, as `name=image`, set by deploy.
	Services []string `json:"services,omitempty"`
}

// Tests counts what was tested.
type Tests struct {
	Passed   int    `json:"passed"`
	Failed   int    `json:"failed"`
	Skipped  int    `json:"skipped"`
	Coverage string `json:"coverage,omitempty"`
	// Failures are the names of the first failed tests.
	Failures []string `json:"failures,omitempty"`
}

// Write keeps the record below the workspace. An empty workspace keeps nothing.
func Write(workspace string, r Record) error {
	if workspace == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("record task %s: %w", r.Task, err)
	}
	directory := filepath.Join(workspace, Directory)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("record task %s: %w", r.Task, err)
	}
	if err := os.WriteFile(filepath.Join(directory, r.Task+".json"), raw, 0o644); err != nil {
		return fmt.Errorf("record task %s: %w", r.Task, err)
	}
	return nil
}

// Read returns the records of the workspace in the order in which the tasks began.
func Read(workspace string) ([]Record, error) {
	names, err := filepath.Glob(filepath.Join(workspace, Directory, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("read the records of %s: %w", workspace, err)
	}
	var out []Record
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the records of %s: %w", workspace, err)
		}
		var r Record
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("read record %s: %w", name, err)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Record) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Task, b.Task))
	})
	return out, nil
}
