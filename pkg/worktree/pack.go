package worktree

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// What an artifact is, and what it tells of the tree.
const (
	configType  types.MediaType = "application/vnd.spock.worktree.config.v1+json"
	annotCommit                 = "org.opencontainers.image.revision"
	annotRemote                 = "org.opencontainers.image.source"
	annotDirty                  = "dev.spock.worktree.dirty"
)

// A tree is packed in memory; what is unpacked may come from anybody who may push.
const (
	maxPacked        = 256 << 20
	maxUnpacked      = 1 << 30
	maxUnpackedFiles = 200_000
)

// Pack makes the artifact of a tree. Owners and times are left out, so that the digest is one
// of contents alone.
func (t *Tree) Pack() (v1.Image, error) {
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, name := range t.Files {
		if err := t.add(archive, name); err != nil {
			return nil, err
		}
		if packed.Len() > maxPacked {
			return nil, fmt.Errorf("the tree takes more than %d MiB at %s; tell git to ignore what no build needs", maxPacked>>20, name)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("pack the tree: %w", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("pack the tree: %w", err)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), configType)
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return nil, fmt.Errorf("pack the tree: %w", err)
	}
	said := map[string]string{annotDirty: fmt.Sprint(t.Dirty)}
	if t.Commit != "" {
		said[annotCommit] = t.Commit
	}
	if t.Remote != "" {
		said[annotRemote] = t.Remote
	}
	return mutate.Annotations(image, said).(v1.Image), nil
}

// add writes one file, or a link as it is.
func (t *Tree) add(archive *tar.Writer, name string) error {
	path := filepath.Join(t.Dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	header := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if !info.Mode().IsRegular() {
		header.Typeflag = tar.TypeSymlink
		if header.Linkname, err = os.Readlink(path); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		return archive.WriteHeader(header)
	}
	if info.Mode()&0o100 != 0 {
		header.Mode = 0o755
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	header.Size = int64(len(content))
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	if _, err := archive.Write(content); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}
