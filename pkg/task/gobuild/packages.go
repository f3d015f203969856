package gobuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

// Package is a main package.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
}

// ListArgs are the arguments of go that list the packages of the patterns.
func ListArgs(patterns []string) []string {
	return append([]string{"list", "-json=ImportPath,Name,Dir", "--"}, patterns...)
}

// Mains reads what `go list -json` wrote and returns the main packages in its order. Two
// of the same name are refused: their images would overwrite each other.
func Mains(list io.Reader) ([]Package, error) {
	var mains []Package
	first := map[string]string{}
	decoder := json.NewDecoder(list)
	for {
		var p Package
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		if p.Name != "main" {
			continue
		}
		if other, twice := first[p.Service()]; twice {
			return nil, fmt.Errorf("packages %s and %s would both become the image %s; build them in two runs with different repositories", other, p.ImportPath, p.Service())
		}
		first[p.Service()] = p.ImportPath
		mains = append(mains, p)
	}
	if len(mains) == 0 {
		return nil, errors.New("the packages hold no command (package main) to build; name at least one")
	}
	return mains, nil
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// Service is the short name of the command: of its binary, its image and, by default, of
// the service that runs it.
func (p Package) Service() string {
	base := path.Base(p.ImportPath)
	if majorVersion.MatchString(base) && strings.Contains(p.ImportPath, "/") {
		return path.Base(path.Dir(p.ImportPath))
	}
	return base
}

// Patterns makes words of ko's form into patterns of go: `ko://` is dropped.
func Patterns(words []string) ([]string, error) {
	var out []string
	for _, word := range words {
		word = strings.TrimPrefix(strings.TrimSpace(word), "ko://")
		if word == "" || strings.HasPrefix(word, "-") {
			return nil, fmt.Errorf("package %q: it is empty or begins with a dash; write an import path or a pattern such as ./cmd/...", word)
		}
		out = append(out, word)
	}
	return out, nil
}
