package source

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Origin is where files are that do not stand in a template: exactly one of the two.
type Origin struct {
	// ConfigMap is the name of one, in the namespace of the template.
	ConfigMap string
	// Artifact in a registry.
	Artifact Artifact
}

// String is how a run names it.
func (o Origin) String() string {
	if o.ConfigMap != "" {
		return "configmap/" + o.ConfigMap
	}
	path, _, _ := strings.Cut(o.Artifact.Image, "@")
	return "oci/" + path
}

// Wrong says why nothing can be read there, whatever there is.
func (o Origin) Wrong() error {
	if o.ConfigMap != "" {
		return nil
	}
	_, err := o.Artifact.Reference()
	return err
}

// Found is what an origin holds, or why its files cannot be had.
type Found struct {
	Files Files
	Err   error
	// Named is the digest by which the files were asked for, if they were.
	Named string
}

// Digest stands for the files.
func (f Found) Digest() string {
	if f.Named != "" {
		return f.Named
	}
	key := KeyOf(f.Files)
	return "sha256:" + hex.EncodeToString(key[:])
}

// NoConfigMap is what is said of one that is not there, or not marked: only those with the
// mark are watched, so the two look the same.
func NoConfigMap(namespace, name string) error {
	const mark = v1alpha1.LabelManifests + "=true"
	return &Error{
		fmt.Sprintf("there is no ConfigMap %q with the label %s in namespace %s", name, mark, namespace),
		fmt.Sprintf("create it, or mark it: kubectl label configmap %s %s -n %s", name, mark, namespace),
	}
}

// FromConfigMap are the files of a ConfigMap's data and binary data. A key is the name of
// a file, and two underscores in it stand for a slash, the first two of a longer row: ConfigMaps
// have no slash in their keys. Binary data that is called .tgz or .tar.gz is unpacked.
func FromConfigMap(data map[string]string, binary map[string][]byte) Found {
	files := Files{}
	put := func(key, name, text string) error {
		if !fs.ValidPath(name) {
			return &Error{fmt.Sprintf("key %q stands for the path %q, which leads outside", key, name), "rename it; `__` in a key stands for a slash"}
		}
		if _, twice := files[name]; twice {
			return &Error{fmt.Sprintf("key %q gives file %q a second time", key, name), "remove one of the two"}
		}
		files[name] = text
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if err := put(key, strings.ReplaceAll(key, "__", "/"), data[key]); err != nil {
			return Found{Err: err}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(binary)) {
		held := Files{strings.ReplaceAll(key, "__", "/"): string(binary[key])}
		if packed(key) {
			var err error
			if held, err = Unpack(bytes.NewReader(binary[key]), Usual()); err != nil {
				return Found{Err: at(fmt.Sprintf("key %q", key), err)}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(held)) {
			if err := put(key, name, held[name]); err != nil {
				return Found{Err: err}
			}
		}
	}
	return Found{Files: files}
}

// at says in which part something is wrong.
func at(part string, err error) error {
	var wrong *Error
	if errors.As(err, &wrong) {
		return &Error{part + ": " + wrong.Problem, wrong.Remedy}
	}
	return err
}

// Below are the files of a directory, by their paths in it.
func Below(files Files, dir string) (Files, error) {
	clean := path.Clean("./" + dir)
	if clean == "." {
		return files, nil
	}
	if !fs.ValidPath(clean) {
		return nil, &Error{fmt.Sprintf("path %q leaves the directory", dir), "write a path below it, without `..`"}
	}
	out := Files{}
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, clean+"/"); ok {
			out[rest] = text
		}
	}
	if len(out) == 0 {
		return nil, &Error{fmt.Sprintf("there is no directory %q among the files", clean), "correct the path" + tops(files)}
	}
	return out, nil
}

// tops are the directories at the top, as a hint.
func tops(files Files) string {
	set := map[string]bool{}
	for name := range files {
		if top, _, below := strings.Cut(name, "/"); below {
			set[top] = true
		}
	}
	if len(set) == 0 || len(set) > 10 {
		return ""
	}
	return "; there are " + strings.Join(slices.Sorted(maps.Keys(set)), ", ")
}

// Chart is the directory of a chart: dir, or where its Chart.yaml is, at the top or in the
// one directory that there is, as in the archives that Helm packs.
func Chart(files Files, dir string) (Files, error) {
	if dir != "" {
		return Below(files, dir)
	}
	if _, ok := files["Chart.yaml"]; ok {
		return files, nil
	}
	var found []string
	for name := range files {
		if top, rest, _ := strings.Cut(name, "/"); rest == "Chart.yaml" {
			found = append(found, top)
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return nil, &Error{"there is no Chart.yaml among the files", "add it, or set path to the directory that has it"}
	case 1:
		return Below(files, found[0])
	default:
		return nil, &Error{"there is more than one chart: " + strings.Join(found, ", "), "set path to one of them"}
	}
}

// Manifests are the names of all YAML and JSON files, in order.
func Manifests(files Files) ([]string, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)) {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil, &Error{"there is no file among them that ends in .yaml, .yml or .json", "add one, or correct the path"}
	}
	return names, nil
}
