package images

import (
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image says what an image is made of.
type Image struct {
	Ref    string   // the full name, with a tag
	Layers []string // layer files, the lowest first
	Config v1.Config
}

// Names that containerd's import and other tools read from an OCI layout's index.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
)

// Write makes the OCI layout of an image in an empty folder.
func Write(dir string, img Image) error {
	made, err := assemble(img)
	if err != nil {
		return fmt.Errorf("image %s: %w", img.Ref, err)
	}
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("image %s: writing: %w", img.Ref, err)
	}
	names := map[string]string{refName: img.Ref, containerdName: img.Ref}
	if err := l.AppendImage(made, layout.WithAnnotations(names)); err != nil {
		return fmt.Errorf("image %s: writing: %w", img.Ref, err)
	}
	return nil
}

func assemble(img Image) (v1.Image, error) {
	made := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, file := range img.Layers {
		layer, err := tarball.LayerFromFile(file, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, fmt.Errorf("reading layer %s: %w", filepath.Base(filepath.Dir(file)), err)
		}
		if made, err = mutate.AppendLayers(made, layer); err != nil {
			return nil, fmt.Errorf("adding a layer: %w", err)
		}
	}
	config, err := made.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config = "linux", "amd64", img.Config
	config.Created = v1.Time{Time: epoch}
	return mutate.ConfigFile(made, config)
}

// Manifest returns the digest and the manifest of the one image in a layout folder.
func Manifest(dir string) (v1.Hash, []byte, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return v1.Hash{}, nil, fmt.Errorf("reading image layout: %w", err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return v1.Hash{}, nil, fmt.Errorf("reading image layout: %w", err)
	}
	if len(list.Manifests) != 1 {
		return v1.Hash{}, nil, fmt.Errorf("image layout has %d images, want 1", len(list.Manifests))
	}
	digest := list.Manifests[0].Digest
	raw, err := os.ReadFile(filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex))
	if err != nil {
		return v1.Hash{}, nil, fmt.Errorf("reading image manifest: %w", err)
	}
	return digest, raw, nil
}
