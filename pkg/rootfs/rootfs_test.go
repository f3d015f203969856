package rootfs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/rootfs"
)

// e is an entry of a layer in a test: a file unless it says otherwise.
type e = tar.Header

func layer(t testing.TB, entries ...e) rootfs.Layer {
	t.Helper()
	var raw bytes.Buffer
	archive := tar.NewWriter(&raw)
	for i := range entries {
		h := entries[i]
		content := h.Name
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			if text, ok := h.PAXRecords["TEST.content"]; ok {
				content = text
			}
			h.Size = int64(len(content))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := archive.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			_, _ = archive.Write([]byte(content))
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return bytesLayer(raw.Bytes())
}

func bytesLayer(raw []byte) rootfs.Layer {
	return rootfs.Layer{
		DiffID: fmt.Sprintf("sha256:%d-%x", len(raw), raw[:min(8, len(raw))]),
		Open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
	}
}

func dir(name string) e      { return e{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755} }
func link(name, to string) e { return e{Name: name, Typeflag: tar.TypeSymlink, Linkname: to} }
func hard(name, to string) e { return e{Name: name, Typeflag: tar.TypeLink, Linkname: to} }
func text(name, content string) e {
	return e{Name: name, PAXRecords: map[string]string{"TEST.content": content}}
}

// unpack lists what the parts of a tree hold, a line per name.
func unpack(t testing.TB, tree *rootfs.Tree) string {
	t.Helper()
	var lines []string
	for _, p := range tree.Parts() {
		var raw bytes.Buffer
		if err := p.Write(&raw); err != nil {
			t.Fatalf("write a part: %v", err)
		}
		archive := tar.NewReader(&raw)
		for {
			h, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a part is no archive: %v", err)
			}
			content, _ := io.ReadAll(archive)
			what := map[byte]string{tar.TypeDir: "dir", tar.TypeReg: "file " + string(content), tar.TypeSymlink: "-> " + h.Linkname, tar.TypeLink: "= " + h.Linkname}[h.Typeflag]
			lines = append(lines, fmt.Sprintf("%04o %s %s", h.Mode, h.Name, what))
			if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || len(h.PAXRecords) > 0 {
				t.Errorf("%s belongs to %d:%d %s and carries %v", h.Name, h.Uid, h.Gid, h.Uname, h.PAXRecords)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func TestTheLayersOfAnImageBecomeOneTree(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		layers [][]e
		user   string
		want   []string
	}{
		"a later layer replaces a file": {
			[][]e{{dir("etc"), text("etc/a", "old"), text("etc/b", "stays")}, {text("etc/a", "new")}}, "",
			[]string{"0755 etc/ dir", "0644 etc/b file stays", "0644 etc/a file new"},
		},
		"a whiteout hides a file and a whole directory of lower layers": {
			[][]e{{text("a", "1"), text("d/x", "1"), text("d/y/z", "1")}, {e{Name: ".wh.a"}, e{Name: ".wh.d"}, text("b", "2")}}, "",
			[]string{"0644 b file 2"},
		},
		"an opaque directory hides what is below, not what its own layer brings, in whatever order": {
			[][]e{{text("d/old", "1")}, {text("d/new", "2"), e{Name: "d/.wh..wh..opq"}}}, "",
			[]string{"0755 d/ dir", "0644 d/new file 2"},
		},
		"a whiteout of what its own layer brings hides nothing": {
			[][]e{{text("a", "old")}, {e{Name: ".wh.a"}, text("a", "new")}, {}}, "",
			[]string{"0644 a file new"},
		},
		"names of the tools that write layers are left out": {
			[][]e{{text("a", "1"), e{Name: ".wh..wh.plnk", Typeflag: tar.TypeDir}}}, "",
			[]string{"0644 a file 1"},
		},
		"set-user-ID, set-group-ID, sticky and writing by others are dropped": {
			[][]e{{e{Name: "bin/su", Mode: 0o6755}, e{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, e{Name: "open", Mode: 0o666}}}, "65532",
			[]string{"0755 bin/ dir", "0755 tmp/ dir", "0755 bin/su file bin/su", "0644 open file open"},
		},
		"devices and pipes are left out": {
			[][]e{{e{Name: "dev/sda", Typeflag: tar.TypeBlock}, e{Name: "dev/kmem", Typeflag: tar.TypeChar}, e{Name: "pipe", Typeflag: tar.TypeFifo}, text("a", "1")}}, "",
			[]string{"0644 a file 1"},
		},
		"what the image's user could read can be read, and what it could not cannot": {
			[][]e{{
				text("etc/passwd", "root:x:0:0::/:\napp:x:70:71::/:\n"),
				e{Name: "own", Mode: 0o600, Uid: 70}, e{Name: "group", Mode: 0o640, Gid: 71}, e{Name: "root", Mode: 0o600},
				e{Name: "run", Mode: 0o700, Uid: 70},
			}}, "app",
			[]string{"0755 etc/ dir", "0644 etc/passwd file root:x:0:0::/:\napp:x:70:71::/:\n", "0644 own file own", "0644 group file group", "0600 root file root", "0755 run file run"},
		},
		"a root image reads everything": {
			[][]e{{e{Name: "shadow", Mode: 0o640, Gid: 42}, e{Name: "private/", Typeflag: tar.TypeDir, Mode: 0o700}}}, "",
			[]string{"0755 private/ dir", "0644 shadow file shadow"},
		},
		"a hard link is another name, in its own layer and from a later one": {
			[][]e{{text("a", "1"), hard("b", "a")}, {hard("c", "/b")}}, "",
			[]string{"0644 a file 1", "0644 b = a", "0644 c = a"},
		},
		"a hard link keeps the content that its name had": {
			[][]e{{text("a", "old")}, {hard("b", "a")}, {text("a", "new")}}, "",
			[]string{"0644 b file old", "0644 a file new"},
		},
		"a layer that writes below a link writes where that points, inside the tree": {
			[][]e{{dir("usr/bin"), link("bin", "usr/bin"), link("up", "../../../.."), link("abs", "/usr")}, {text("bin/tool", "1"), text("up/top", "2"), text("abs/x", "3")}}, "",
			[]string{"0777 abs -> /usr", "0777 bin -> usr/bin", "0777 up -> ../../../..", "0755 usr/ dir", "0755 usr/bin/ dir", "0644 usr/bin/tool file 1", "0644 top file 2", "0644 usr/x file 3"},
		},
		"a link to the machine's own files is only a name": {
			[][]e{{link("passwd", "/etc/passwd")}, {text("passwd", "own")}}, "",
			[]string{"0644 passwd file own"},
		},
		"a file gives way to a directory": {
			[][]e{{text("a", "1")}, {text("a/b", "2")}}, "",
			[]string{"0755 a/ dir", "0644 a/b file 2"},
		},
		"an absolute name is one of the tree": {
			[][]e{{text("/etc/a", "1"), text("./b", "2")}}, "",
			[]string{"0755 etc/ dir", "0644 etc/a file 1", "0644 b file 2"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var layers []rootfs.Layer
			for _, entries := range tc.layers {
				layers = append(layers, layer(t, entries...))
			}
			tree, err := rootfs.Read(layers, tc.user, rootfs.Usual())
			if err != nil {
				t.Fatalf("Read() = %v", err)
			}
			if diff := cmp.Diff(strings.Join(tc.want, "\n"), unpack(t, tree)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHostileImageIsRefused(t *testing.T) {
	t.Parallel()
	small := rootfs.Limits{Entries: 3, Bytes: 10}
	tests := map[string]struct {
		entries []e
		limits  rootfs.Limits
	}{
		"a name that climbs":                 {[]e{text("../../etc/cron.d/x", "1")}, rootfs.Usual()},
		"a name that climbs in the middle":   {[]e{text("a/../../x", "1")}, rootfs.Usual()},
		"a hard link that climbs":            {[]e{hard("a", "../../etc/shadow")}, rootfs.Usual()},
		"a hard link to what is not there":   {[]e{hard("a", "etc/shadow")}, rootfs.Usual()},
		"a hard link to a directory":         {[]e{dir("d"), hard("a", "d")}, rootfs.Usual()},
		"a hard link through a link":         {[]e{link("d", "/"), hard("a", "d/etc/shadow")}, rootfs.Usual()},
		"links that go in circles":           {[]e{link("a", "b"), link("b", "a"), text("a/x", "1")}, rootfs.Usual()},
		"a whiteout of the directory itself": {[]e{dir("d"), e{Name: "d/.wh.."}}, rootfs.Usual()},
		"a whiteout of the parent":           {[]e{dir("d"), e{Name: "d/.wh..."}}, rootfs.Usual()},
		"a whiteout of nothing":              {[]e{e{Name: ".wh."}}, rootfs.Usual()},
		"a name that is too long":            {[]e{text(strings.Repeat("d/", 3000)+"x", "1")}, rootfs.Usual()},
		"a part of a name that is too long":  {[]e{text(strings.Repeat("x", 300), "1")}, rootfs.Usual()},
		"too many files":                     {[]e{text("a", ""), text("b", ""), text("c", ""), text("d", "")}, small},
		"too many bytes":                     {[]e{text("a", "0123456789+")}, small},
		"a link without a target":            {[]e{link("a", "")}, rootfs.Usual()},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rootfs.Read([]rootfs.Layer{layer(t, tc.entries...)}, "", tc.limits)
			if !errors.Is(err, rootfs.ErrHostile) {
				t.Errorf("Read() = %v, want ErrHostile", err)
			}
		})
	}
}

func TestAnUnknownUserIsRefused(t *testing.T) {
	t.Parallel()
	for user, ok := range map[string]bool{"": true, "0": true, "1000:1000": true, "app": true, "app:staff": true, "nobody": false, "app:nogroup": false, "-1": false, "99999999999": false} {
		_, err := rootfs.Read([]rootfs.Layer{layer(t, text("etc/passwd", "app:x:7:8::/:\n"), text("etc/group", "staff:x:9:\n"))}, user, rootfs.Usual())
		if (err == nil) != ok {
			t.Errorf("user %q: %v, want allowed %t", user, err, ok)
		}
	}
}

func TestImagesThatShareLayersShareParts(t *testing.T) {
	t.Parallel()
	base := layer(t, dir("usr"), text("usr/lib", "common"))
	keys := func(layers ...rootfs.Layer) (files []string, whole string) {
		tree, err := rootfs.Read(layers, "65532", rootfs.Usual())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tree.Parts()[1:] {
			files = append(files, p.Key)
		}
		return files, tree.Key()
	}
	one, first := keys(base, layer(t, text("a", "1")))
	two, second := keys(base, layer(t, text("b", "2")))
	if one[0] != two[0] || one[1] == two[1] || first == second {
		t.Errorf("parts %v and %v of trees %s and %s", one, two, first, second)
	}
	if again, same := keys(base, layer(t, text("a", "1"))); cmp.Diff(one, again) != "" || same != first {
		t.Errorf("the same image has parts %v and %v", one, again)
	}
}

func TestALayerThatChangedSinceItWasReadIsNotWritten(t *testing.T) {
	t.Parallel()
	first, then := layer(t, text("a", "1")), layer(t, text("a", "22"))
	for name, other := range map[string]rootfs.Layer{"another size": then, "no files": layer(t)} {
		reads := 0
		changing := rootfs.Layer{DiffID: "sha256:x", Open: func() (io.ReadCloser, error) {
			if reads++; reads == 1 {
				return first.Open()
			}
			return other.Open()
		}}
		tree, err := rootfs.Read([]rootfs.Layer{changing}, "", rootfs.Usual())
		if err != nil {
			t.Fatal(err)
		}
		parts := tree.Parts()
		if err := parts[1].Write(io.Discard); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

func TestTheUserOfAnImageKeepsItsName(t *testing.T) {
	t.Parallel()
	files := []e{text("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:70:71:The app:/home/app:/bin/sh\ntwin:x:70:71::/:/bin/sh\nbroken\n"), text("etc/group", "root:x:0:\nstaff:x:71:app\n")}
	for name, tc := range map[string]struct {
		files         []e
		user          string
		passwd, group string
	}{
		"a user with a name":    {files, "app", "root:x:0:0::/root:/bin/sh\napp:x:@UID@:@UID@:The app:/home/app:/bin/sh\n", "root:x:0:\nstaff:x:@UID@:app\n"},
		"a user without a name": {files, "5:6", "root:x:0:0::/root:/bin/sh\napp:x:70:71:The app:/home/app:/bin/sh\ntwin:x:70:71::/:/bin/sh\nspock:x:@UID@:@UID@::/:/bin/false\n", "root:x:0:\nstaff:x:71:app\nspock:x:@UID@:\n"},
		"root":                  {files[:1], "", "root:x:0:0::/root:/bin/sh\napp:x:70:71:The app:/home/app:/bin/sh\ntwin:x:70:71::/:/bin/sh\nspock:x:@UID@:@UID@::/:/bin/false\n", "spock:x:@UID@:\n"},
		"an empty image":        {nil, "1000", "spock:x:@UID@:@UID@::/:/bin/false\n", "spock:x:@UID@:\n"},
	} {
		tree, err := rootfs.Read([]rootfs.Layer{layer(t, tc.files...)}, tc.user, rootfs.Usual())
		if err != nil {
			t.Fatal(err)
		}
		passwd, group := tree.Accounts()
		if diff := cmp.Diff([]string{tc.passwd, tc.group}, []string{passwd, group}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
