// Package kustomize turns a Kustomize directory into manifests, by Kustomize's own
// library on files in memory: nothing is fetched and no plugin runs.
package kustomize

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/source"
)

// root is where the files are; the kustomization that sets the namespace stands beside it.
const root = "/files"

// names of the file that makes a directory a Kustomize directory.
var names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// Render builds the directory at dir of the files, in a namespace.
func Render(files source.Files, dir, namespace string) (string, error) {
	if err := check(files, dir); err != nil {
		return "", err
	}
	disk := filesys.MakeFsInMemory()
	for name, text := range files {
		if err := disk.WriteFile(path.Join(root, name), []byte(text)); err != nil {
			return "", fmt.Errorf("write %s: %w", name, err)
		}
	}
	top, err := yaml.Marshal(map[string]any{"namespace": namespace, "resources": []string{path.Join("..", root, dir)}})
	if err != nil {
		return "", fmt.Errorf("write the kustomization of namespace %s: %w", namespace, err)
	}
	if err := disk.WriteFile("/top/kustomization.yaml", top); err != nil {
		return "", fmt.Errorf("write the kustomization of namespace %s: %w", namespace, err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/top")
	if err != nil {
		return "", said(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return "", said(err)
	}
	return string(text), nil
}

// ours is how Kustomize says that the directory is a resource of our own kustomization.
var ours = regexp.MustCompile(`^accumulating resources: .*(couldn't make target for|recursed accumulation of) path '/files[^']*': `)

// said is what Kustomize answered, in one line and without our own directories.
func said(err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = ours.ReplaceAllString(text, "")
	return &source.Error{Problem: "kustomize says: " + strings.ReplaceAll(text, root+"/", ""), Remedy: "correct the kustomization"}
}

// check refuses files that lie outside, a directory without a kustomization, and
// whatever Kustomize would fetch.
func check(files source.Files, dir string) error {
	dir = path.Clean("./" + dir)
	if !local(dir) {
		return &source.Error{Problem: fmt.Sprintf("path %q leaves the directory", dir), Remedy: "write a path below it, without `..`"}
	}
	if !slices.ContainsFunc(names, func(name string) bool { _, ok := files[path.Join(dir, name)]; return ok }) {
		return &source.Error{Problem: fmt.Sprintf("there is no kustomization.yaml in %q", dir), Remedy: "add one, or set path to the directory that has it"}
	}
	for _, name := range inOrder(files) {
		if !local(name) {
			return &source.Error{Problem: fmt.Sprintf("file %q leaves the directory", name), Remedy: "write a path below it, without `..`"}
		}
		if slices.Contains(names, path.Base(name)) {
			if err := checkFile(files, name); err != nil {
				return err
			}
		}
	}
	return nil
}
