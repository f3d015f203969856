package rootfs

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"strings"
)

const (
	whiteout = ".wh."
	// opaque in a directory hides all that lower layers have in it.
	opaque = ".wh..wh..opq"
	// reserved names belong to the tools that write layers.
	reserved = ".wh..wh."
)

// hide takes what a whiteout hides out of the tree, and says whether the entry was one.
func (r *reading) hide(e entry) (bool, error) {
	parts, err := parse(e.Name)
	if err != nil || len(parts) == 0 {
		return false, err
	}
	base := parts[len(parts)-1]
	hidden, is := strings.CutPrefix(base, whiteout)
	if !is {
		return false, nil
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return true, fmt.Errorf("%w: a whiteout hides no name", ErrHostile)
	}
	parent, err := r.tree.place(parts[:len(parts)-1], -1)
	switch {
	case err != nil || parent == nil:
		return true, err
	case base == opaque:
		clear(parent.children)
	case strings.HasPrefix(base, reserved):
	default:
		delete(parent.children, hidden)
	}
	return true, nil
}

// bring puts an entry into the tree. Devices and pipes are left out: a machine has its
// own.
func (r *reading) bring(layer int, e entry) error {
	parts, err := parse(e.Name)
	if err != nil {
		return err
	}
	made, err := r.made(layer, e)
	if made == nil || err != nil {
		return err
	}
	if len(parts) == 0 {
		if made.kind == fs.ModeDir {
			r.tree.root.take(made)
		}
		return nil
	}
	parent, err := r.tree.place(parts[:len(parts)-1], layer)
	if err != nil {
		return err
	}
	name := parts[len(parts)-1]
	if old := parent.children[name]; old != nil && old.kind == fs.ModeDir && made.kind == fs.ModeDir {
		old.take(made)
		return nil
	}
	parent.children[name] = made
	return nil
}

// take gives a directory what a later layer says of it; its children stay.
func (n *node) take(from *node) {
	n.mode, n.uid, n.gid, n.layer = from.mode, from.uid, from.gid, from.layer
}

// made is the node of an entry, nil for one that is left out.
func (r *reading) made(layer int, e entry) (*node, error) {
	n := &node{mode: e.FileInfo().Mode().Perm(), uid: e.Uid, gid: e.Gid, layer: layer}
	switch e.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		n.size, n.from = e.Size, source{layer, e.index}
	case tar.TypeDir:
		n.kind, n.children = fs.ModeDir, map[string]*node{}
	case tar.TypeSymlink:
		n.kind, n.target = fs.ModeSymlink, e.Linkname
		if n.target == "" || len(n.target) > maxName || strings.ContainsRune(n.target, 0) {
			return nil, fmt.Errorf("%w: a symbolic link points nowhere", ErrHostile)
		}
	case tar.TypeLink:
		return r.linked(layer, e)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil, nil
	default:
		return nil, fmt.Errorf("%w: an entry of type %q", ErrHostile, e.Typeflag)
	}
	return n, nil
}

// linked is the node of a hard link: another name for the same content.
func (r *reading) linked(layer int, e entry) (*node, error) {
	parts, err := parse(e.Linkname)
	if err != nil {
		return nil, err
	}
	to, err := r.tree.find(parts)
	if err != nil {
		return nil, err
	}
	if to == nil || to.kind == fs.ModeDir {
		return nil, fmt.Errorf("%w: a hard link to %q, which is no file of the image", ErrHostile, short(e.Linkname))
	}
	same := *to
	same.layer = layer
	return &same, nil
}

func regular(header *tar.Header) bool {
	return header.Typeflag == tar.TypeReg || header.Typeflag == tar.TypeGNUSparse
}
