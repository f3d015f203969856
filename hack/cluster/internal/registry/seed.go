package registry

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"spock.dev/spock/hack/cluster/internal/images"
)

// Seed puts the image of an OCI layout folder into a registry's folder as
// REPO:TAG, before the registry starts. Blobs are linked, not copied, where the
// file system allows it.
func Seed(dir, layoutDir, repo, tag string) error {
	digest, manifest, err := images.Manifest(layoutDir)
	if err != nil {
		return fmt.Errorf("seeding %s:%s: %w", repo, tag, err)
	}
	for _, d := range []string{"sha256", "manifests"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return fmt.Errorf("creating the registry's folder: %w", err)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(layoutDir, "blobs", "sha256"))
	if err != nil {
		return fmt.Errorf("seeding %s:%s: %w", repo, tag, err)
	}
	for _, b := range blobs {
		if b.Name() == digest.Hex {
			continue
		}
		from := filepath.Join(layoutDir, "blobs", "sha256", b.Name())
		if err := link(from, filepath.Join(dir, "sha256", b.Name())); err != nil {
			return fmt.Errorf("seeding %s:%s: %w", repo, tag, err)
		}
	}
	return save(dir, record{Path: "/v2/" + repo + "/manifests/" + tag, ContentType: string(types.OCIManifestSchema1), Body: manifest})
}

// link makes a second name for a file, or a copy on another file system.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || os.IsExist(err) {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return err
	}
	return dst.Close()
}
