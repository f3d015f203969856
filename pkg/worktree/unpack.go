package worktree

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Origin is what an artifact tells of its tree.
type Origin struct {
	Commit, Remote string
	Dirty          bool
}

// Unpack writes the tree of an artifact below a directory, and returns what it tells of itself.
// Nothing is written outside of it, through a link neither.
func Unpack(image v1.Image, dir string) (Origin, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return Origin{}, fmt.Errorf("read the source: %w", err)
	}
	if manifest.Config.MediaType != configType {
		return Origin{}, fmt.Errorf("the source is of type %s and no working tree; push one with spock pipeline run", manifest.Config.MediaType)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		return Origin{}, fmt.Errorf("the source has %d layers, want one: %w", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		return Origin{}, fmt.Errorf("read the source: %w", err)
	}
	defer content.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Origin{}, fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	if err := clear(root); err != nil {
		return Origin{}, fmt.Errorf("empty the workspace: %w", err)
	}
	said := manifest.Annotations
	return Origin{Commit: said[annotCommit], Remote: said[annotRemote], Dirty: said[annotDirty] == "true"}, unpack(content, root)
}

// clear removes what an attempt before has left. lost+found is the volume's own.
func clear(root *os.Root) error {
	left, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range left {
		if e.Name() == "lost+found" {
			continue
		}
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// unpack writes the entries of an archive.
func unpack(content io.Reader, root *os.Root) error {
	limited := &io.LimitedReader{R: content, N: maxUnpacked + 1} // one more than is allowed tells
	archive := tar.NewReader(limited)
	for count := 0; ; count++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = entry(archive, header, root)
		}
		switch {
		case limited.N <= 0 || count >= maxUnpackedFiles:
			return fmt.Errorf("the source takes more than %d MiB or %d files; tell git to ignore what no build needs", maxUnpacked>>20, maxUnpackedFiles)
		case err != nil && header != nil:
			return fmt.Errorf("write %q of the source: %w", header.Name, err)
		case err != nil:
			return fmt.Errorf("read the source: %w", err)
		}
	}
	// What follows the archive decides whether the digest is right.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return fmt.Errorf("read the source: %w", err)
	}
	return nil
}

func entry(content io.Reader, header *tar.Header, root *os.Root) error {
	if dir := path.Dir(header.Name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch header.Typeflag {
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, header.Name)
	case tar.TypeReg:
		file, err := root.OpenFile(header.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, os.FileMode(header.Mode)&0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	}
	return errors.New("a working tree holds files and links, and nothing else")
}

// Revision names a tree in one word that a tag may be: twelve digits of its commit, and of
// its own digest where it differs from it or has none.
func (o Origin) Revision(reference string) (string, error) {
	_, digest, found := strings.Cut(reference, "@sha256:")
	if !found || len(digest) < 12 {
		return "", fmt.Errorf("source %q has no digest", reference)
	}
	switch {
	case len(o.Commit) < 12:
		return "tree-" + digest[:12], nil
	case o.Dirty:
		return o.Commit[:12] + "-" + digest[:12], nil
	}
	return o.Commit[:12], nil
}
