// Package tekton turns the manifests that lie in Tekton's modules into three
// files for this cluster, in the order in which they must be applied: Tekton's
// webhook, once registered and not yet ready, makes the API server refuse
// ConfigMaps; so everything else goes before the Deployments, and objects of
// Tekton's own kinds come last.
package tekton

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/content"
	"spock.dev/spock/hack/cluster/internal/host"
)

// Files of the folder that Manifests returns.
const (
	First       = "1-objects.yaml"
	Deployments = "2-deployments.yaml"
	Last        = "3-interceptors.yaml"
)

// source is a module and which of its files are taken, in order.
type source struct {
	module, set, version string
	globs, last          []string
}

var sources = []source{
	{module: "github.com/tektoncd/pipeline", set: "pipeline", version: "v1.15.0",
		globs: []string{"config/100-namespace/*.yaml", "config/*.yaml", "config/300-crds/*.yaml", "config/resolvers/*.yaml"}},
	{module: "github.com/tektoncd/triggers", set: "triggers", version: "v0.37.0",
		globs: []string{"config/*.yaml", "config/interceptors/*deployment.yaml", "config/interceptors/00*.yaml"},
		last:  []string{"config/interceptors/core-interceptors.yaml"}},
}

// Manifests returns the folder with the three files. root is the folder of the
// tool's module; Tekton's modules are looked up only when the cache lacks them.
func Manifests(ctx context.Context, c cache.Cache, root string) (string, error) {
	key, err := cache.FileKey(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	return c.Ensure("tekton-manifests", cache.Key("manifests 1", key), func(dir string) error {
		var s sorted
		for _, src := range sources {
			if err := s.take(ctx, root, src); err != nil {
				return err
			}
		}
		return s.write(dir)
	})
}

// sorted collects documents by when they are applied.
type sorted struct{ namespaces, objects, deployments, last []string }

func (s *sorted) take(ctx context.Context, root string, src source) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", src.module)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := host.Run(cmd)
	if err != nil {
		return fmt.Errorf("finding the manifests of %s: %w", src.module, err)
	}
	dir := strings.TrimSpace(out)
	docs, err := read(dir, src.globs)
	if err != nil {
		return err
	}
	last, err := read(dir, src.last)
	if err != nil {
		return err
	}
	for _, d := range docs {
		s.add(adapt(d, src))
	}
	for _, d := range last {
		s.last = append(s.last, adapt(d, src))
	}
	return nil
}

var kindLine = regexp.MustCompile(`(?m)^kind: *(\w+)`)

func (s *sorted) add(doc string) {
	kind := kindLine.FindStringSubmatch(doc)
	if kind == nil {
		return // only comments
	}
	switch kind[1] {
	case "HorizontalPodAutoscaler": // there is no metrics server to feed it
	case "Namespace":
		s.namespaces = append(s.namespaces, doc)
	case "Deployment":
		s.deployments = append(s.deployments, doc)
	default:
		s.objects = append(s.objects, doc)
	}
}

func (s *sorted) write(dir string) error {
	files := map[string][]string{First: append(s.namespaces, s.objects...), Deployments: s.deployments, Last: s.last}
	for name, docs := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(docs, "\n---\n")), 0o644); err != nil {
			return fmt.Errorf("writing Tekton's manifests: %w", err)
		}
	}
	return nil
}

// read returns the documents of all files that match, in order of the patterns.
func read(dir string, globs []string) ([]string, error) {
	var docs []string
	for _, g := range globs {
		paths, err := filepath.Glob(filepath.Join(dir, g))
		if err != nil {
			return nil, fmt.Errorf("listing Tekton's manifests: %w", err)
		}
		sort.Strings(paths)
		for _, p := range paths {
			raw, err := os.ReadFile(p)
			if err != nil {
				return nil, fmt.Errorf("reading Tekton's manifests: %w", err)
			}
			docs = append(docs, split(string(raw))...)
		}
	}
	return docs, nil
}

var separator = regexp.MustCompile(`(?m)^---[ \t]*$`)

func split(yaml string) []string { return separator.Split(yaml, -1) }

var (
	programImage = regexp.MustCompile(`ko://github\.com/tektoncd/(?:pipeline|triggers)/cmd/([a-z]+)`)
	shellImage   = regexp.MustCompile(`("-shell-image", )"[^"]+"`)
	develVersion = regexp.MustCompile(`(?m): "?devel"?$`)
)

// adapt puts this cluster's images and the released version into a document.
func adapt(doc string, src source) string {
	doc = programImage.ReplaceAllStringFunc(doc, func(m string) string {
		return content.Tekton(src.set, m[strings.LastIndex(m, "/")+1:])
	})
	doc = shellImage.ReplaceAllString(doc, `${1}"`+content.Busybox+`"`)
	doc = develVersion.ReplaceAllString(doc, `: "`+src.version+`"`)
	return strings.ReplaceAll(doc, "-devel\n", "-"+src.version+"\n")
}
