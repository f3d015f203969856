package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"spock.dev/spock/bench/report"
)

// publish writes the results, as far as they are there, where the pages of the repository look
// for them, if they are wanted: a run of hours that is ended loses nothing.
func (l *lab) publish() error {
	if l.out == "" {
		return nil
	}
	const picture = "benchmark.svg"
	about := fmt.Sprintf("This run: %d processors, %s/%s, a service is ready after a median of %v.", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, l.median)
	for name, write := range map[string]func(io.Writer) error{
		"bench/results.json":        func(w io.Writer) error { return report.JSON(w, l.rows) },
		"docs/" + picture:           func(w io.Writer) error { return report.Plot(w, l.rows) },
		"docs/benchmark-results.md": func(w io.Writer) error { return report.Page(w, about, picture, l.rows) },
	} {
		if err := create(filepath.Join(l.out, filepath.FromSlash(name)), write); err != nil {
			return err
		}
	}
	return nil
}

func create(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := write(file); err != nil {
		file.Close()
		return fmt.Errorf("write the results to %s: %w", name, err)
	}
	return file.Close()
}
