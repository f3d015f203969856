package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"spock.dev/spock/pkg/task/artifacts"
)

// kept is what stays of a run in the workspace beside the report; nothing when empty.
type kept struct {
	// log is a file below the workspace.
	log string
	// patterns of files that the command leaves, and the folder below the workspace that they
	// are copied to.
	patterns []string
	folder   string
}

// open makes the file of the log.
func (k kept) open(workspace string) (io.WriteCloser, error) {
	if k.log == "" {
		return nowhere{io.Discard}, nil
	}
	path := filepath.Join(workspace, k.log)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("keep the log: %w", err)
	}
	log, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("keep the log: %w", err)
	}
	return log, nil
}

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// files copies what the command has left.
func (k kept) files(workspace, directory string) error {
	return artifacts.Keep(filepath.Join(workspace, k.folder), directory, k.patterns)
}
