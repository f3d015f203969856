package tasks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
)

var update = flag.Bool("update", false, "write the tables of the README files")

const (
	begin = "<!-- begin of what is made from the YAML: go test ./tasks -update -->"
	end   = "<!-- end -->"
)

// TestReadmes checks that the tables of each README say what the YAML says.
func TestReadmes(t *testing.T) {
	t.Parallel()
	for _, e := range slices.Concat(entries(t, "*/*.yaml"), entries(t, "../pipelines/*/*.yaml"), entries(t, "../stepactions/*/*.yaml")) {
		t.Run(e.path, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(filepath.Dir(e.path), "README.md")
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			head, rest, found := strings.Cut(string(raw), begin)
			_, tail, closed := strings.Cut(rest, end)
			if !found || !closed {
				t.Fatalf("%s lacks the lines\n%s\n%s", path, begin, end)
			}
			want := head + begin + "\n" + tables(t, e) + end + tail
			if *update {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, string(raw)); diff != "" {
				t.Errorf("%s is out of date; go test ./tasks -update (-want +got):\n%s", path, diff)
			}
		})
	}
}

func tables(t *testing.T, e entry) string {
	t.Helper()
	var out strings.Builder
	if strings.HasPrefix(e.path, "../pipelines") {
		var p v1.Pipeline
		decode(t, e.path, &p)
		paramTable(&out, p.Spec.Params)
		var rows [][]string
		for _, w := range p.Spec.Workspaces {
			rows = append(rows, []string{code(w.Name), optional(w.Optional), w.Description})
		}
		table(&out, "Workspaces", []string{"workspace", "optional", "what it holds"}, rows)
		rows = nil
		for _, r := range p.Spec.Results {
			rows = append(rows, []string{code(r.Name), r.Description})
		}
		table(&out, "Results", []string{"result", "what it is"}, rows)
		return out.String()
	}
	var task v1.Task
	if strings.HasPrefix(e.path, "../stepactions") {
		var action v1beta1.StepAction
		decode(t, e.path, &action)
		task = asTask(action)
	} else {
		decode(t, e.path, &task)
	}
	paramTable(&out, task.Spec.Params)
	var rows [][]string
	for _, w := range task.Spec.Workspaces {
		rows = append(rows, []string{code(w.Name), optional(w.Optional), w.Description})
	}
	table(&out, "Workspaces", []string{"workspace", "optional", "what it holds"}, rows)
	rows = nil
	for _, r := range task.Spec.Results {
		rows = append(rows, []string{code(r.Name), string(r.Type), r.Description})
	}
	table(&out, "Results", []string{"result", "type", "what it is"}, rows)
	return out.String()
}

func paramTable(out *strings.Builder, params v1.ParamSpecs) {
	var rows [][]string
	for _, p := range params {
		rows = append(rows, []string{code(p.Name), string(p.Type), standard(p.Default), p.Description})
	}
	table(out, "Params", []string{"param", "type", "default", "what it is"}, rows)
}

func table(out *strings.Builder, title string, head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## %s\n\n| %s |\n|%s\n", title, strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	}
}

func standard(value *v1.ParamValue) string {
	switch {
	case value == nil:
		return "required"
	case value.Type == v1.ParamTypeArray:
		return code(fmt.Sprintf("[%s]", strings.Join(value.ArrayVal, ", ")))
	case value.StringVal == "":
		return "empty"
	}
	return code(value.StringVal)
}

func optional(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func code(text string) string { return "`" + text + "`" }
