package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const module = "module spock.dev/spock/hack/cluster\n"

// moduleRoot finds the folder of this tool's go.mod: here, above, or as
// hack/cluster of a folder above.
func moduleRoot() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the current folder: %w", err)
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		for _, candidate := range []string{dir, filepath.Join(dir, "hack", "cluster")} {
			raw, err := os.ReadFile(filepath.Join(candidate, "go.mod"))
			if err == nil && strings.HasPrefix(string(raw), module) {
				return candidate, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no sources of the local cluster here: call this from inside the repository")
		}
	}
}

// stateDir is the given folder, or .cluster at the repository's root.
func stateDir(given, root string) (string, error) {
	if given == "" {
		given = filepath.Join(root, "..", "..", ".cluster")
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return "", fmt.Errorf("finding the state folder: %w", err)
	}
	return dir, nil
}
