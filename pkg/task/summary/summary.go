// Package summary tells what a pipeline did, from the records its tasks left: as lines for
// the log and as one sentence for a result. It is pure.
package summary

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"spock.dev/spock/pkg/progress"
	"spock.dev/spock/pkg/task/record"
)

// Status is how Tekton says a task of the pipeline ended.
type Status struct {
	// Task of the pipeline.
	Task string
	// State is Succeeded, Failed, Completed or None.
	State string
}

// ParseStatus reads `task=state` entries.
func ParseStatus(entries []string) ([]Status, error) {
	var out []Status
	for _, entry := range entries {
		task, state, found := strings.Cut(entry, "=")
		if !found || task == "" {
			return nil, fmt.Errorf("status %q: not task=state; write for example build=Succeeded", entry)
		}
		out = append(out, Status{Task: task, State: state})
	}
	return out, nil
}

// Lines tells what each task did: tasks in the order given, facts below. A task that Tekton
// knows and that left no record is named with its state alone.
func Lines(statuses []Status, records []record.Record) []string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tSTATE\tTOOK\tWHAT")
	for _, s := range statuses {
		r := find(records, s.Task)
		if r == nil {
			fmt.Fprintf(w, "%s\t%s\t-\t\n", s.Task, state(s))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Task, state(s), progress.Seconds(r.Finished.Sub(r.Started)), fact(*r))
		for _, line := range details(*r) {
			fmt.Fprintf(w, "\t\t\t%s\n", line)
		}
	}
	w.Flush()
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return append(lines, "", Sentence(statuses, records))
}

// Sentence says it in one line, short enough for a result.
func Sentence(statuses []Status, records []record.Record) string {
	verdict := "succeeded"
	for _, s := range statuses {
		if s.State == "Failed" {
			verdict = s.Task + " failed"
			break
		}
		if s.State == "None" || s.State == "" {
			verdict = "did not finish"
		}
	}
	parts := []string{verdict}
	for _, r := range records {
		parts = append(parts, brief(r)...)
	}
	if took := span(records); took > 0 {
		parts = append(parts, "took "+progress.Seconds(took))
	}
	return strings.Join(parts, "; ")
}

func brief(r record.Record) []string {
	var parts []string
	if r.Commit != "" {
		parts = append(parts, "commit "+short(r.Commit))
	}
	if len(r.Images) > 0 {
		parts = append(parts, images(len(r.Images)))
	}
	if r.Tests != nil {
		parts = append(parts, r.Task+" "+tests(*r.Tests))
	}
	if r.URL != "" {
		parts = append(parts, r.URL)
	}
	return parts
}

func fact(r record.Record) string {
	switch {
	case r.Commit != "":
		return r.Commit + " of " + r.Repository
	case r.Tests != nil:
		return tests(*r.Tests)
	case r.Environment != "" && r.Phase != "":
		return strings.TrimSpace(fmt.Sprintf("%s is %s %s", r.Environment, r.Phase, r.URL))
	case len(r.Images) > 0:
		return images(len(r.Images))
	}
	return r.Error
}

func details(r record.Record) []string {
	lines := r.Images
	if r.Tests != nil {
		for _, name := range r.Tests.Failures {
			lines = append(lines, "failed: "+name)
		}
	}
	if r.Error != "" && fact(r) != r.Error {
		lines = append(lines, strings.Split(r.Error, "\n")...)
	}
	return lines
}

func tests(t record.Tests) string {
	text := fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
	if t.Coverage != "" {
		text += ", coverage " + t.Coverage + "%"
	}
	return text
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// state translates Tekton's words: None is a task that was not run.
func state(s Status) string {
	if s.State == "None" || s.State == "" {
		return "not run"
	}
	return s.State
}

func find(records []record.Record, task string) *record.Record {
	for i := range records {
		if records[i].Task == task {
			return &records[i]
		}
	}
	return nil
}

// span is the time from the first beginning to the last end.
func span(records []record.Record) time.Duration {
	var first, last time.Time
	for _, r := range records {
		if first.IsZero() || r.Started.Before(first) {
			first = r.Started
		}
		if r.Finished.After(last) {
			last = r.Finished
		}
	}
	return last.Sub(first)
}

func short(commit string) string {
	const enough = 12
	if len(commit) > enough {
		return commit[:enough]
	}
	return commit
}
