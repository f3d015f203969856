package rootfs

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// format is part of every key: another way to write parts gives other keys.
const format = "spock rootfs 1"

// Part is an archive that carries some of a tree. Unpacked one after the other into an
// empty directory, in any order, the parts make the tree.
type Part struct {
	// Key stands for the content of the part: the same key is the same archive.
	Key string
	// Bytes of file contents in it, about the size of the archive.
	Bytes int64

	tree  *Tree
	layer int // whose files it holds, -1 for the part with directories and links
	names []named
}

// named is a node with its path.
type named struct {
	path string
	*node
}

// Parts returns the parts of the tree: its directories and links first, then the files
// of each layer that has any left.
func (t *Tree) Parts() []Part {
	byLayer := make([][]named, len(t.layers)+1)
	for _, n := range t.walk() {
		at := 0
		if n.kind == 0 {
			at = n.from.layer + 1
		}
		byLayer[at] = append(byLayer[at], n)
	}
	var parts []Part
	for i, names := range byLayer {
		if i > 0 && len(names) == 0 {
			continue
		}
		p := Part{tree: t, layer: i - 1, names: names}
		p.Key, p.Bytes = p.key(), p.bytes()
		parts = append(parts, p)
	}
	return parts
}

// Key stands for the whole tree.
func (t *Tree) Key() string {
	h := sha256.New()
	for _, p := range t.Parts() {
		fmt.Fprintln(h, p.Key)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// walk returns all nodes but the root, parents first, in the order of their names.
func (t *Tree) walk() []named {
	var all []named
	var down func(prefix string, n *node)
	down = func(prefix string, n *node) {
		for _, name := range slices.Sorted(maps.Keys(n.children)) {
			child := n.children[name]
			all = append(all, named{path.Join(prefix, name), child})
			down(path.Join(prefix, name), child)
		}
	}
	down("", t.root)
	return all
}

func (p *Part) key() string {
	h := sha256.New()
	fmt.Fprintln(h, format)
	if p.layer >= 0 {
		fmt.Fprintln(h, p.tree.layers[p.layer].DiffID)
	}
	for _, n := range p.names {
		fmt.Fprintf(h, "%q %o %q %d %d\n", n.path, p.tree.who.permissions(n.node), n.target, n.from.index, n.kind)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (p *Part) bytes() int64 {
	var sum int64
	seen := map[source]bool{}
	for _, n := range p.names {
		if n.kind == 0 && !seen[n.from] {
			seen[n.from] = true
			sum += n.size
		}
	}
	return sum
}

// Write writes the archive. The same part is the same bytes every time, so that a reader
// that has some of them needs only the rest.
func (p *Part) Write(w io.Writer) error {
	archive := tar.NewWriter(w)
	var err error
	if p.layer < 0 {
		err = p.writeShape(archive)
	} else {
		err = p.writeFiles(archive)
	}
	if err != nil {
		return err
	}
	return archive.Close()
}

func (p *Part) writeShape(archive *tar.Writer) error {
	for _, n := range p.names {
		header := p.header(n)
		if n.kind == fs.ModeDir {
			header.Typeflag, header.Name = tar.TypeDir, n.path+"/"
		} else {
			header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, n.target, 0o777
		}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("write %q: %w", short(n.path), err)
		}
	}
	return nil
}

// writeFiles goes through the layer once; a content with several names is written under
// the first, the others become hard links to it.
func (p *Part) writeFiles(archive *tar.Writer) error {
	wanted := map[int][]named{}
	for _, n := range p.names {
		wanted[n.from.index] = append(wanted[n.from.index], n)
	}
	stream, err := p.tree.layers[p.layer].Open()
	if err != nil {
		return err
	}
	defer stream.Close()
	from := tar.NewReader(stream)
	for index := 0; len(wanted) > 0; index++ {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("layer %s is shorter than when it was read", p.tree.layers[p.layer].DiffID)
		}
		if err != nil {
			return err
		}
		names := wanted[index]
		delete(wanted, index)
		if len(names) == 0 {
			continue
		}
		if header.Size != names[0].size {
			return fmt.Errorf("layer %s is not what it was when it was read", p.tree.layers[p.layer].DiffID)
		}
		if err := p.writeFile(archive, names, from); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, stream) // to its end, so that its digest is checked
	return err
}

func (p *Part) writeFile(archive *tar.Writer, names []named, content io.Reader) error {
	first := p.header(names[0])
	first.Typeflag, first.Size = tar.TypeReg, names[0].size
	if err := archive.WriteHeader(first); err != nil {
		return fmt.Errorf("write %q: %w", short(names[0].path), err)
	}
	if _, err := io.Copy(archive, content); err != nil {
		return fmt.Errorf("write %q: %w", short(names[0].path), err)
	}
	for _, other := range names[1:] {
		link := p.header(other)
		link.Typeflag, link.Linkname = tar.TypeLink, names[0].path
		if err := archive.WriteHeader(link); err != nil {
			return fmt.Errorf("write %q: %w", short(other.path), err)
		}
	}
	return nil
}

// header of a node: root's, without a time and with nothing but permissions.
func (p *Part) header(n named) *tar.Header {
	return &tar.Header{Name: n.path, Mode: int64(p.tree.who.permissions(n.node)), Format: tar.FormatPAX}
}
