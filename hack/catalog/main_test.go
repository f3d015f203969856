package main

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// resolved are all Tasks and Pipelines, as ko resolve would hand them on.
func resolved(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../../tasks/*/*.yaml", "../../stepactions/*/*.yaml", "../../pipelines/*/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, strings.ReplaceAll(string(raw), ": ko://", ": registry.example.com/"))
		}
	}
	return strings.Join(all, "\n---\n")
}

// versions of the API that the bundles resolver knows.
var versions = map[string]string{"task": "v1", "pipeline": "v1", "stepaction": "v1beta1"}

func TestEveryTaskAndPipelineIsABundle(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository, catalog := strings.TrimPrefix(server.URL, "http://")+"/spock", resolved(t)
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := pushAll(t.Context(), repository, strings.NewReader(catalog), out); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("the same makes another digest (-first +second):\n%s", diff)
	}
	references := strings.Fields(first.String())
	if len(references) != strings.Count(catalog, "\n---\n")+1 {
		t.Errorf("%d bundles: %v", len(references), references)
	}
	for _, text := range references {
		reference, err := name.ParseReference(text)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(reference)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := image.Manifest()
		if err != nil || len(manifest.Layers) != 1 {
			t.Fatalf("%s: %d layers, %v", text, len(manifest.Layers), err)
		}
		held := manifest.Layers[0].Annotations
		if want := "/" + held["dev.tekton.image.kind"] + "-" + held["dev.tekton.image.name"] + ":"; !strings.Contains(text, want) || held["dev.tekton.image.apiVersion"] != versions[held["dev.tekton.image.kind"]] {
			t.Errorf("%s holds %v", text, held)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		content, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		files := tar.NewReader(content)
		if header, err := files.Next(); err != nil || header.Name != held["dev.tekton.image.name"] {
			t.Errorf("%s: file %v, %v", text, header, err)
		}
		if object, err := io.ReadAll(files); err != nil || !strings.Contains(catalog, strings.TrimSpace(string(object))) {
			t.Errorf("%s holds another object: %v", text, err)
		}
		content.Close()
	}
}

func TestWhatIsNoBundleIsRefused(t *testing.T) {
	t.Parallel()
	const meta = "\nmetadata: {name: x, labels: {app.kubernetes.io/version: 0.1.0}}"
	for name, document := range map[string]string{
		"an image that is not resolved": "apiVersion: tekton.dev/v1\nkind: Task" + meta + "\nspec:\n  steps:\n    - image: ko://a/b",
		"another kind of object":        "apiVersion: v1\nkind: ConfigMap" + meta,
		"an object without version":     "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: x}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := pushAll(t.Context(), "127.0.0.1:1/x", strings.NewReader(document), io.Discard); err == nil || strings.Contains(err.Error(), "push") {
				t.Errorf("error %v", err)
			}
		})
	}
}
