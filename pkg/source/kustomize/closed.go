package kustomize

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/source"
)

// Kustomize reads the names of fields in any case, so they are in lower case here.
var (
	// programs are fields that run a program or read another kustomization's language.
	programs = map[string]bool{"generators": true, "transformers": true, "validators": true,
		"helmcharts": true, "helmchartinflationgenerator": true, "helmglobals": true}
	// directories are fields that may name a repository instead of a directory.
	directories = map[string]bool{"resources": true, "bases": true, "components": true}
	// loads are fields that may name an address instead of a file.
	loads = map[string]bool{"crds": true, "configurations": true, "path": true, "files": true, "env": true, "envs": true,
		"patchesstrategicmerge": true}
)

func inOrder[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func local(name string) bool { return fs.ValidPath(name) && !strings.Contains(name, "\\") }

// checkFile refuses a kustomization that needs more than the files.
func checkFile(files source.Files, name string) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(files[name])))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var content any
		if err == nil {
			err = yaml.UnmarshalStrict(document, &content)
		}
		if err != nil {
			return &source.Error{Problem: fmt.Sprintf("%s is not valid YAML: %s", name, strings.Join(strings.Fields(err.Error()), " ")), Remedy: "correct it"}
		}
		if err := (closed{files, name}).walk("", content); err != nil {
			return err
		}
	}
}

// closed checks that a kustomization is closed: that it names nothing but files.
type closed struct {
	files source.Files
	name  string
}

func (c closed) walk(field string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range inOrder(v) {
			lower := strings.ToLower(key)
			if field == "" && programs[lower] {
				return &source.Error{Problem: fmt.Sprintf("%s: field %s is not supported", c.name, key), Remedy: "write its result as resources or patches"}
			}
			if err := c.walk(lower, v[key]); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := c.walk(field, item); err != nil {
				return err
			}
		}
	case string:
		return c.text(field, v)
	}
	return nil
}

// text refuses the value of a field that Kustomize would fetch.
func (c closed) text(field, text string) error {
	_, after, found := strings.Cut(text, "=")
	if !found {
		after = text
	}
	remote := strings.HasPrefix(strings.ToLower(text), "http") && strings.Contains(text, "://") || strings.Contains(after, "://")
	switch {
	case loads[field] && remote && !strings.Contains(text, "\n"):
	case directories[field] && (strings.ContainsAny(text, ":@?") || strings.HasPrefix(strings.ToLower(text), "github.com")):
	case directories[field] && !c.has(path.Join(path.Dir(c.name), text)):
		return &source.Error{Problem: fmt.Sprintf("%s: %q is not among the files", c.name, text), Remedy: "add it"}
	default:
		return nil
	}
	return &source.Error{Problem: fmt.Sprintf("%s: %q would be fetched, and nothing is", c.name, text), Remedy: "add its content to the files"}
}

// has says whether there is such a file or directory.
func (c closed) has(name string) bool {
	if _, ok := c.files[name]; ok || name == "." {
		return true
	}
	for other := range c.files {
		if strings.HasPrefix(path.Clean(other), name+"/") {
			return true
		}
	}
	return false
}
