// Package artifacts keeps files that a command has left where it ran.
package artifacts

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Keep copies the files that match patterns below a directory into a folder, with their paths;
// of a directory that matches, all that is in it. Only regular files are copied, so that no
// link leads out. A pattern that nothing matches is no error: what failed early leaves little.
func Keep(folder, directory string, patterns []string) error {
	for _, pattern := range patterns {
		if !filepath.IsLocal(pattern) {
			return fmt.Errorf("artifacts: %q leaves the directory; give a pattern below it", pattern)
		}
		found, err := filepath.Glob(filepath.Join(directory, pattern))
		if err != nil {
			return fmt.Errorf("artifacts: %q: %w", pattern, err)
		}
		for _, path := range found {
			if err := tree(folder, directory, path); err != nil {
				return fmt.Errorf("keep the artifact %s: %w", path, err)
			}
		}
	}
	return nil
}

func tree(folder, directory, path string) error {
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && path == folder {
			return fs.SkipDir // what is kept is not kept again
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return file(filepath.Join(folder, name), path)
	})
}

func file(to, from string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
