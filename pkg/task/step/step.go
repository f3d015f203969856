// Package step is what the programs of the Tasks share: where a step's results and its
// record go.
package step

import (
	"context"
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
	// over says that the time of the step is, and is nil without a limit.
	over func() error
	stop context.CancelFunc
}

// Flags registers those that every step has.
func (s *Step) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.results, "results", result.Directory, "directory of the result files")
	cmd.Flags().StringToStringVar(&s.files, "result", nil, "NAME=FILE of a result that goes elsewhere; repeatable")
	cmd.Flags().StringVar(&s.Workspace, "workspace", "", "root of the shared workspace, where the record of the task is kept; empty keeps none")
}

// Limit registers --timeout: the command's context ends when the step has taken so long, and
// what Run returns says so.
func (s *Step) Limit(cmd *cobra.Command) {
	var timeout time.Duration
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long the step may take, for example 50m; 0 sets no limit")
	cmd.PreRun = func(cmd *cobra.Command, _ []string) {
		if timeout <= 0 {
			return
		}
		late := fmt.Errorf("not done after %s; see above what it was at, or give the param timeout more", timeout)
		ctx, stop := context.WithTimeoutCause(cmd.Context(), timeout, late)
		cmd.SetContext(ctx)
		s.stop = stop
		s.over = func() error {
			if context.Cause(ctx) == late {
				return late
			}
			return nil
		}
	}
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
	problem := s.inTime(work(results, &r))
	r.Finished = time.Now()
	if problem != nil {
		r.Error = problem.Error()
	}
	if err := record.Write(s.Workspace, r); err != nil && problem == nil {
		return err
	}
	return problem
}

// inTime says of a problem that it is the end of the step's time.
func (s *Step) inTime(problem error) error {
	if s.over == nil {
		return problem
	}
	defer s.stop()
	if late := s.over(); late != nil && problem != nil {
		return fmt.Errorf("%w: %w", late, problem)
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
