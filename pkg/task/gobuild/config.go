// Package gobuild turns the main packages of a Go module into container images without a
// container engine: the Go toolchain compiles, one layer goes on top of a base image, and
// the result is pushed. The same sources and base give the same digest.
//
// It keeps ko's conventions, so that a project which builds with ko builds here: the
// binary is /ko-app/NAME, the files of kodata are below KO_DATA_PATH, and .ko.yaml is read.
// It builds for one platform and knows no other languages.
package gobuild

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

// Config is the part of .ko.yaml that is honoured.
type Config struct {
	DefaultBaseImage   string            `json:"defaultBaseImage"`
	BaseImageOverrides map[string]string `json:"baseImageOverrides"`
	DefaultEnv         []string          `json:"defaultEnv"`
	DefaultFlags       Words             `json:"defaultFlags"`
	DefaultLdflags     Words             `json:"defaultLdflags"`
	Builds             []Build           `json:"builds"`
}

// Build is the setting of one main package.
type Build struct {
	ID      string   `json:"id"`
	Dir     string   `json:"dir"`
	Main    string   `json:"main"`
	Env     []string `json:"env"`
	Flags   Words    `json:"flags"`
	Ldflags Words    `json:"ldflags"`
}

// Words is a list that may also be written as one string.
type Words []string

// UnmarshalJSON reads a string or a list of strings.
func (w *Words) UnmarshalJSON(raw []byte) error {
	var one string
	if yaml.Unmarshal(raw, &one) == nil && !bytes.HasPrefix(raw, []byte("[")) {
		*w = strings.Fields(one)
		return nil
	}
	var many []string
	if err := yaml.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("want a string or a list of strings: %w", err)
	}
	*w = many
	return nil
}

// ReadConfig reads .ko.yaml of a directory; none is an empty one.
func ReadConfig(directory string) (Config, error) {
	var config Config
	path := filepath.Join(directory, ".ko.yaml")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err != nil {
		return config, fmt.Errorf("read %s: %w", path, err)
	}
	if err := yaml.Unmarshal(raw, &config); err != nil {
		return config, fmt.Errorf("read %s: %w", path, err)
	}
	return config, nil
}

// Settings are what one package is built with.
type Settings struct {
	Env, Flags, Ldflags []string
}

// Settings of the package in a directory below the root, its expressions filled in.
func (c Config) Settings(root string, p Package, facts map[string]any) (Settings, error) {
	s := Settings{Env: c.DefaultEnv, Flags: c.DefaultFlags, Ldflags: c.DefaultLdflags}
	for _, build := range c.Builds {
		if build.directory(root) != filepath.Clean(p.Dir) {
			continue
		}
		if len(build.Env) > 0 {
			s.Env = build.Env
		}
		if len(build.Flags) > 0 {
			s.Flags = build.Flags
		}
		if len(build.Ldflags) > 0 {
			s.Ldflags = build.Ldflags
		}
	}
	for _, words := range []*[]string{&s.Env, &s.Flags, &s.Ldflags} {
		filled, err := fill(*words, facts)
		if err != nil {
			return s, fmt.Errorf(".ko.yaml, settings of %s: %w", p.ImportPath, err)
		}
		*words = filled
	}
	return s, nil
}

func (b Build) directory(root string) string {
	main := b.Main
	if strings.HasSuffix(main, ".go") {
		main = filepath.Dir(main)
	}
	return filepath.Join(root, b.Dir, main)
}

// Base is the base image of a package: the override of .ko.yaml for it, the caller's, the
// default of .ko.yaml; empty when none of them names one, since what an image stands on is
// nobody else's choice.
func (c Config) Base(importPath, wanted string) string {
	switch {
	case c.BaseImageOverrides[importPath] != "":
		return c.BaseImageOverrides[importPath]
	case wanted != "":
		return wanted
	case c.DefaultBaseImage != "":
		return c.DefaultBaseImage
	}
	return ""
}

func fill(words []string, facts map[string]any) ([]string, error) {
	var out []string
	for _, word := range words {
		t, err := template.New("word").Option("missingkey=error").Parse(word)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", word, err)
		}
		var filled strings.Builder
		if err := t.Execute(&filled, facts); err != nil {
			return nil, fmt.Errorf("%q: %w; known are .Env.NAME, .Git.FullCommit, .Git.ShortCommit and .Git.CommitTimestamp", word, err)
		}
		out = append(out, filled.String())
	}
	return out, nil
}
