// Package rootfs turns the layers of a container image into one file tree that is safe
// to unpack on a machine, and into the few archives that carry it there.
//
// It reads streams and writes streams. The tree is made in memory, from names alone, so
// that nothing in an image can reach outside of it: a name that climbs is refused, a
// layer that writes below a symbolic link writes where that points inside the tree, and
// the directories of the tree are directories, never links. Set-user-ID, set-group-ID
// and extended attributes are dropped, devices are left out, everything belongs to root
// and is read-only for everybody else; what the image's user could read can be read.
//
// A tree is carried in parts: one with its directories and links, and one per layer with
// the files of that layer that are still there. A part has a key that stands for its
// content, so that images that share layers share parts. Package rootfs unpacks nothing.
package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Layer is one layer of an image.
type Layer struct {
	// DiffID is the digest of the uncompressed layer.
	DiffID string
	// Open returns the uncompressed layer from its start.
	Open func() (io.ReadCloser, error)
}

// Limits bound what an image may hold.
type Limits struct {
	// Entries of all layers together.
	Entries int
	// Bytes of all files of all layers together.
	Bytes int64
}

// maxNames bounds the names of all entries together: they are kept in memory.
const maxNames = 256 << 20

// Usual are limits that no ordinary image reaches.
func Usual() Limits { return Limits{Entries: 1 << 20, Bytes: 32 << 30} }

// ErrHostile says that an image holds what no honest tool writes.
var ErrHostile = errors.New("the image is not safe to unpack")

// source is where a file's content stands.
type source struct {
	layer, index int
}

// node is one name of a tree.
type node struct {
	kind     fs.FileMode // fs.ModeDir, fs.ModeSymlink or 0 for a file
	mode     fs.FileMode // permissions, as in the layer
	uid, gid int
	children map[string]*node // of a directory
	target   string           // of a symbolic link
	size     int64            // of a file
	from     source           // of a file
	layer    int              // which layer wrote it last
}

func directory(layer int) *node {
	return &node{kind: fs.ModeDir, mode: 0o755, children: map[string]*node{}, layer: layer}
}

// Tree is the file tree of an image.
type Tree struct {
	layers []Layer
	root   *node
	who    who
	// passwd and group are the texts of the files that name users.
	passwd, group string
}

// Read makes the tree of an image's layers, the lowest first. user is the user of the
// image's config: a name or a number, and a group after a colon.
func Read(layers []Layer, user string, limits Limits) (*Tree, error) {
	t := &Tree{layers: layers, root: directory(0)}
	r := reading{tree: t, left: limits, texts: map[source]string{}, last: map[string]source{}}
	for i := range layers {
		if err := r.layer(i); err != nil {
			return nil, fmt.Errorf("read layer %s: %w", layers[i].DiffID, err)
		}
	}
	var err error
	t.who, err = r.whoIs(user)
	t.passwd, t.group = r.text("etc/passwd"), r.text("etc/group")
	return t, err
}

// reading is the state of Read.
type reading struct {
	tree  *Tree
	left  Limits
	names int               // bytes of the names so far
	texts map[source]string // contents of the files that name users
	last  map[string]source // where such a file was met last
}

// entry is one header of a layer, and what is kept of its content.
type entry struct {
	*tar.Header
	index int
}

// layer puts one layer over those before it: first what it hides of them, then what it
// brings, whatever the order in it.
func (r *reading) layer(i int) error {
	entries, err := r.entries(i)
	if err != nil {
		return err
	}
	var bring []entry
	for _, e := range entries {
		hidden, err := r.hide(e)
		if err != nil {
			return fmt.Errorf("%q: %w", short(e.Name), err)
		}
		if !hidden {
			bring = append(bring, e)
		}
	}
	for _, e := range bring {
		if err := r.bring(i, e); err != nil {
			return fmt.Errorf("%q: %w", short(e.Name), err)
		}
	}
	return nil
}

// entries reads the headers of a layer.
func (r *reading) entries(i int) ([]entry, error) {
	stream, err := r.tree.layers[i].Open()
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	archive := tar.NewReader(stream)
	var entries []entry
	for index := 0; ; index++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			// What follows the archive is read as well, so that its digest is checked.
			_, err := io.Copy(io.Discard, stream)
			return entries, err
		}
		if err != nil {
			return nil, err
		}
		if err := r.spend(header); err != nil {
			return nil, err
		}
		if err := r.keepText(source{i, index}, header, archive); err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		entries = append(entries, entry{header, index})
	}
}

// spend counts an entry against the limits.
func (r *reading) spend(header *tar.Header) error {
	r.left.Entries--
	r.left.Bytes -= max(0, header.Size)
	r.names += len(header.Name) + len(header.Linkname)
	header.PAXRecords, header.Xattrs = nil, nil //nolint:staticcheck // nothing of them is kept
	switch {
	case r.names > maxNames:
		return fmt.Errorf("%w: its names are too long", ErrHostile)
	case r.left.Entries < 0:
		return fmt.Errorf("%w: it has too many files", ErrHostile)
	case r.left.Bytes < 0:
		return fmt.Errorf("%w: its files are too large", ErrHostile)
	}
	return nil
}

// short keeps a hostile name from filling a message.
func short(name string) string {
	const most = 200
	if len(name) > most {
		return name[:most] + "..."
	}
	return name
}
