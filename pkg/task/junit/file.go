package junit

import (
	"fmt"
	"os"
	"path/filepath"
)

// Write puts the report into a file below a directory, whose parents it makes.
func Write(directory, name string, report Suites) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("report %q: it leaves the workspace; name a file below it", name)
	}
	raw, err := Marshal(report)
	if err != nil {
		return err
	}
	path := filepath.Join(directory, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the test report: %w", err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return fmt.Errorf("write the test report: %w", err)
	}
	return nil
}

// Glob reads all reports that match a pattern below a directory into one. An empty
// pattern matches nothing.
func Glob(directory, pattern string) (Suites, error) {
	var all Suites
	if pattern == "" {
		return all, nil
	}
	if !filepath.IsLocal(pattern) {
		return all, fmt.Errorf("junit %q: it leaves the sources; give a pattern below them", pattern)
	}
	names, err := filepath.Glob(filepath.Join(directory, pattern))
	if err != nil {
		return all, fmt.Errorf("junit %q: %w", pattern, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return all, fmt.Errorf("read the test report: %w", err)
		}
		report, err := Unmarshal(raw)
		if err != nil {
			return all, fmt.Errorf("%s: %w", name, err)
		}
		all.Suites = append(all.Suites, report.Suites...)
	}
	return all, nil
}

// One is the report of a command that reports nothing itself: one case, its own success.
func One(name string, problem error) Suites {
	c := Case{Classname: "command", Name: name}
	if problem != nil {
		c.Failure = &Problem{Message: Clean(problem.Error())}
	}
	return Suites{Suites: []Suite{{Name: "command", Cases: []Case{c}}}}
}
