// Package helm turns a Helm chart into manifests, by Helm's own loader and engine:
// without a cluster, a release or anything fetched.
package helm

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/source"
)

// Release is what a chart is rendered for.
type Release struct {
	// Name and Namespace of the release.
	Name, Namespace string
	// Values over those of the chart, in YAML.
	Values string
}

// Render returns the chart's objects in the order of its files, as one YAML text. A
// chart whose result is another each time is refused.
func Render(files source.Files, release Release) (string, error) {
	first, err := render(files, release)
	if err != nil {
		return "", err
	}
	second, err := render(files, release)
	if err != nil {
		return "", err
	}
	if first != second {
		return "", &source.Error{Problem: "the chart gives another result each time, by a random value or the time", Remedy: "set the value that it makes up"}
	}
	return first, nil
}

func render(files source.Files, release Release) (string, error) {
	c, err := load(files)
	if err != nil {
		return "", err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(release.Values), &values); err != nil {
		return "", said(err, "correct the values")
	}
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		return "", said(err, "correct the values")
	}
	options := common.ReleaseOptions{Name: release.Name, Namespace: release.Namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, values, options, nil)
	if err != nil {
		return "", said(err, "correct the values")
	}
	rendered, err := engine.Render(c, all)
	if err != nil {
		return "", said(err, "correct the values or the chart")
	}
	return join(rendered)
}

// load reads the chart.
func load(files source.Files) (*chart.Chart, error) {
	var buffered []*archive.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !fs.ValidPath(name) || strings.Contains(name, "\\") {
			return nil, &source.Error{Problem: fmt.Sprintf("file %q leaves the directory", name), Remedy: "write a path below it, without `..`"}
		}
		buffered = append(buffered, &archive.BufferedFile{Name: name, Data: []byte(files[name])})
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, said(err, "correct the chart")
	}
	return c, complete(c)
}

// complete refuses a chart that lacks a dependency, or would fetch a schema.
func complete(c *chart.Chart) error {
	have := map[string]bool{}
	for _, other := range c.Dependencies() {
		have[other.Name()] = true
		if err := complete(other); err != nil {
			return err
		}
	}
	for _, wanted := range c.Metadata.Dependencies {
		if !have[wanted.Name] {
			return &source.Error{Problem: fmt.Sprintf("chart %s depends on chart %s, which is not in its directory charts/", c.Name(), wanted.Name), Remedy: "add it there"}
		}
	}
	return closed(c)
}

// join puts the files together, without those that hold no objects.
func join(rendered map[string]string) (string, error) {
	out := &strings.Builder{}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if base := path.Base(name); strings.HasPrefix(base, "_") || base == "NOTES.txt" || strings.TrimSpace(rendered[name]) == "" {
			continue
		}
		fmt.Fprintf(out, "---\n# %s\n%s\n", name, strings.TrimPrefix(strings.TrimSpace(rendered[name]), "---\n"))
	}
	return withoutTests(out.String())
}

// said is what Helm answered, in one line.
func said(err error, remedy string) error {
	return &source.Error{Problem: "helm says: " + strings.Join(strings.Fields(err.Error()), " "), Remedy: remedy}
}
