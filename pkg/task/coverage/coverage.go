// Package coverage reads what share of a program its tests have run, from the files that the
// tools of many languages write: profiles of Go, LCOV, and the XML of Cobertura and of JaCoCo.
// The form of a file is known by how it begins.
package coverage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Share of a program: how much of all there is was run. It counts statements in Go's profiles
// and lines elsewhere.
type Share struct{ Run, All int }

// Percent is the share with one digit, for example 71.4; 0.0 of nothing.
func (s Share) Percent() string {
	if s.All == 0 {
		return "0.0"
	}
	return fmt.Sprintf("%.1f", 100*float64(s.Run)/float64(s.All))
}

// Read tells the share in a file.
func Read(raw []byte) (Share, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(text, []byte("mode:")):
		return golang(text)
	case bytes.HasPrefix(text, []byte("TN:")), bytes.HasPrefix(text, []byte("SF:")):
		return lcov(text)
	case bytes.HasPrefix(text, []byte("<")):
		return fromXML(text)
	case len(text) == 0:
		return Share{}, errors.New("the file is empty")
	}
	return Share{}, errors.New("this is neither a Go profile, nor LCOV, nor the XML of Cobertura or JaCoCo")
}

// Glob adds up the shares of all files below a directory that match a pattern. No file at all
// is an error.
func Glob(directory, pattern string) (Share, error) {
	if !filepath.IsLocal(pattern) {
		return Share{}, fmt.Errorf("coverage %q: it leaves the sources; give a pattern below them", pattern)
	}
	names, err := filepath.Glob(filepath.Join(directory, pattern))
	if err != nil {
		return Share{}, fmt.Errorf("coverage %q: %w", pattern, err)
	}
	if len(names) == 0 {
		return Share{}, fmt.Errorf("coverage %q: there is no such file in %s", pattern, directory)
	}
	var all Share
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return Share{}, fmt.Errorf("read the coverage: %w", err)
		}
		one, err := Read(raw)
		if err != nil {
			return Share{}, fmt.Errorf("coverage %s: %w", name, err)
		}
		all.Run, all.All = all.Run+one.Run, all.All+one.All
	}
	return all, nil
}
