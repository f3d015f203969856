// Package step is what the programs of the Tasks share: where a step's results and its
// record go.
package step

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
)

// Step of a Task or a StepAction.
type Step struct {
	// Name under which its record is kept.
	Name string
	// Workspace is the root of the shared workspace; empty keeps no record.
	Workspace string
	// Texts and Arrays are the names of its results.
	Texts, Arrays []string

	results string
	files   map[string]string
}

// Flags registers those that every step has.
func (s *Step) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.results, "results", result.Directory, "directory of the result files")
	cmd.Flags().StringToStringVar(&s.files, "result", nil, "NAME=FILE of a result that goes elsewhere; repeatable")
	cmd.Flags().StringVar(&s.Workspace, "workspace", "", "root of the shared workspace, where the record of the task is kept; empty keeps none")
}

// Run gives every result an empty value, so that none is ever missing, does the work and
// keeps a record of it, whether it succeeds or not. Results the work wrote stay.
func (s *Step) Run(work func(result.Writer, *record.Record) error) error {
	results := result.Writer{Directory: s.results, Files: s.files}
	for _, name := range s.Texts {
		if err := results.Text(name, ""); err != nil {
			return err
		}
	}
	for _, name := range s.Arrays {
		if err := results.Array(name, nil); err != nil {
			return err
		}
	}
	r := record.Record{Task: s.Name, Started: time.Now()}
	problem := work(results, &r)
	r.Finished = time.Now()
	if problem != nil {
		r.Error = problem.Error()
	}
	if err := record.Write(s.Workspace, r); err != nil && problem == nil {
		return err
	}
	return problem
}

// Source is where the sources are in the workspace.
func (s *Step) Source(subdirectory string) (string, error) {
	if subdirectory != "" && !filepath.IsLocal(subdirectory) {
		return "", fmt.Errorf("subdirectory %q: it leaves the workspace; name a directory below it", subdirectory)
	}
	return filepath.Join(s.Workspace, subdirectory), nil
}
