package rootfs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"spock.dev/spock/pkg/rootfs"
)

// FuzzAnyLayersAreSafe reads two layers of anything. What comes out must be a tree in
// which nothing points out of it while it is unpacked. It does not check that the tree
// is the one an overlay would show.
func FuzzAnyLayersAreSafe(f *testing.F) {
	raw := func(entries ...e) []byte {
		l := layer(f, entries...)
		stream, err := l.Open()
		if err != nil {
			f.Fatal(err)
		}
		all, _ := io.ReadAll(stream)
		return all
	}
	f.Add(raw(dir("usr/bin"), link("bin", "usr/bin"), text("a", "1")), raw(text("bin/sh", "2"), hard("b", "a"), e{Name: ".wh.a"}), "")
	f.Add(raw(link("etc", "/"), text("etc/passwd", "root:x:0:0::/:\n")), raw(text("../x", "1")), "root:0")
	f.Add(raw(e{Name: "su", Mode: 0o6755}, e{Name: "sda", Typeflag: tar.TypeBlock}), raw(hard("x", "su"), e{Name: "d/.wh..wh..opq"}), "1:2")
	f.Fuzz(func(t *testing.T, one, two []byte, user string) {
		tree, err := rootfs.Read([]rootfs.Layer{bytesLayer(one), bytesLayer(two)}, user, rootfs.Limits{Entries: 1000, Bytes: 1 << 20})
		if err != nil {
			return
		}
		kinds := map[string]byte{}
		for _, p := range tree.Parts() {
			var first, second bytes.Buffer
			if err := errors.Join(p.Write(&first), p.Write(&second)); err != nil {
				return
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Fatal("a part is not the same twice")
			}
			inspect(t, tar.NewReader(&first), kinds)
		}
		for name := range kinds {
			for up := path.Dir(name); up != "."; up = path.Dir(up) {
				if kinds[up] != tar.TypeDir {
					t.Errorf("%q stands below %q, which is %q", name, up, kinds[up])
				}
			}
		}
	})
}

func inspect(t *testing.T, archive *tar.Reader, kinds map[string]byte) {
	here := map[string]bool{}
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("a part is no archive: %v", err)
		}
		name := strings.TrimSuffix(h.Name, "/")
		switch {
		case name == "" || path.Clean("/" + name)[1:] != name:
			t.Errorf("name %q is not clean", h.Name)
		case kinds[name] != 0:
			t.Errorf("%q is there twice", name)
		case h.Mode&^0o777 != 0 || h.Mode&0o022 != 0 && h.Typeflag != tar.TypeSymlink:
			t.Errorf("%q has mode %o", name, h.Mode)
		case h.Typeflag == tar.TypeLink && !here[h.Linkname]:
			t.Errorf("%q is a hard link to %q, which is no file before it", name, h.Linkname)
		case !strings.ContainsRune("0125", rune(h.Typeflag)):
			t.Errorf("%q is of type %q", name, h.Typeflag)
		}
		kinds[name], here[name] = h.Typeflag, h.Typeflag == tar.TypeReg
	}
}
