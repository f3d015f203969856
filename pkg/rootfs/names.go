package rootfs

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	maxName = 4096 // of a whole path, as Linux has it
	maxPart = 255  // of one name in it
	maxHops = 40   // of symbolic links in one path
)

// parse splits a name of an archive into its parts.
func parse(name string) ([]string, error) {
	switch {
	case len(name) > maxName:
		return nil, fmt.Errorf("%w: a name is too long", ErrHostile)
	case strings.ContainsRune(name, 0):
		return nil, fmt.Errorf("%w: a name holds a zero byte", ErrHostile)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return nil, fmt.Errorf("%w: a name climbs out of the tree", ErrHostile)
	}
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	if clean == "" {
		return nil, nil
	}
	parts := strings.Split(clean, "/")
	if slices.ContainsFunc(parts, func(p string) bool { return len(p) > maxPart }) {
		return nil, fmt.Errorf("%w: a name is too long", ErrHostile)
	}
	return parts, nil
}

// place returns the directory that holds a name, following symbolic links inside the
// tree. Directories that are missing are made when layer is not negative; else nil is
// returned. A file in the way gives way to a directory.
func (t *Tree) place(parts []string, layer int) (*node, error) {
	w := way{at: []step{{node: t.root}}, todo: slices.Clone(parts)}
	for len(w.todo) > 0 {
		name := w.todo[0]
		w.todo = w.todo[1:]
		there, err := w.turn(name)
		switch {
		case err != nil:
			return nil, err
		case there:
			continue
		}
		here := w.here()
		next := here.node.children[name]
		if next == nil || next.kind != fs.ModeDir {
			if layer < 0 {
				return nil, nil
			}
			next = directory(layer)
			here.node.children[name] = next
		}
		long := here.length + 1 + len(name)
		if long > maxName-maxPart {
			return nil, fmt.Errorf("%w: a name is too long", ErrHostile)
		}
		w.at = append(w.at, step{next, long})
	}
	return w.here().node, nil
}

// step is a directory on a way, and how long its path is.
type step struct {
	node   *node
	length int
}

// way is a walk from the root to a directory.
type way struct {
	at   []step // from the root to here
	todo []string
	hops int
}

func (w *way) here() step { return w.at[len(w.at)-1] }

// turn does the parts of a name that are no directory: dots and symbolic links. Above
// the root is the root.
func (w *way) turn(name string) (bool, error) {
	switch name {
	case "", ".":
		return true, nil
	case "..":
		w.at = w.at[:max(1, len(w.at)-1)]
		return true, nil
	}
	link := w.here().node.children[name]
	if link == nil || link.kind != fs.ModeSymlink {
		return false, nil
	}
	if w.hops++; w.hops > maxHops {
		return false, fmt.Errorf("%w: its symbolic links go in circles", ErrHostile)
	}
	w.todo = append(strings.Split(link.target, "/"), w.todo...)
	if strings.HasPrefix(link.target, "/") {
		w.at = w.at[:1]
	}
	return true, nil
}

// find returns the node of a name, nil when there is none. The last part is not followed.
func (t *Tree) find(parts []string) (*node, error) {
	if len(parts) == 0 {
		return t.root, nil
	}
	parent, err := t.place(parts[:len(parts)-1], -1)
	if parent == nil || err != nil {
		return nil, err
	}
	return parent.children[parts[len(parts)-1]], nil
}
