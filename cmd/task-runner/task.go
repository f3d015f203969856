package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
)

// task is what all subcommands share: where results and records go.
type task struct {
	name      string
	results   string
	files     map[string]string
	workspace string
	texts     []string
	arrays    []string
}

func (t *task) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.results, "results", result.Directory, "directory of the result files")
	cmd.Flags().StringToStringVar(&t.files, "result", nil, "NAME=FILE of a result that goes elsewhere; repeatable")
	cmd.Flags().StringVar(&t.workspace, "workspace", "", "root of the shared workspace, where the record of the task is kept; empty keeps none")
}

// run gives every result an empty value, so that none is ever missing, does the work and
// keeps a record of it, whether it succeeds or not. Results the work wrote stay.
func (t *task) run(work func(result.Writer, *record.Record) error) error {
	results := result.Writer{Directory: t.results, Files: t.files}
	for _, name := range t.texts {
		if err := results.Text(name, ""); err != nil {
			return err
		}
	}
	for _, name := range t.arrays {
		if err := results.Array(name, nil); err != nil {
			return err
		}
	}
	r := record.Record{Task: t.name, Started: time.Now()}
	problem := work(results, &r)
	r.Finished = time.Now()
	if problem != nil {
		r.Error = problem.Error()
	}
	if err := record.Write(t.workspace, r); err != nil && problem == nil {
		return err
	}
	return problem
}

// source is where the sources are in the workspace.
func (t *task) source(subdirectory string) (string, error) {
	if subdirectory != "" && !filepath.IsLocal(subdirectory) {
		return "", fmt.Errorf("subdirectory %q: it leaves the workspace; name a directory below it", subdirectory)
	}
	return filepath.Join(t.workspace, subdirectory), nil
}
