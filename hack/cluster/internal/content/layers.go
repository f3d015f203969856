package content

import (
	"archive/tar"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/debian"
	"spock.dev/spock/hack/cluster/internal/images"
)

// layer is a layer file that may have to be made; key says what is in it. An
// early one needs no built program.
type layer struct {
	name, key string
	early     bool
	fill      func(*tar.Writer) error
}

func (m *maker) layer(l layer) (string, error) {
	dir, err := m.cache.Ensure("layer-"+l.name, l.key, func(dir string) error {
		return images.Layer(filepath.Join(dir, "layer.tar.gz"), l.fill)
	})
	return filepath.Join(dir, "layer.tar.gz"), err
}

// files is a layer of a few files; its key covers their contents.
func files(name string, list ...images.File) (layer, error) {
	parts := []string{"files 1"}
	for _, f := range list {
		parts = append(parts, fmt.Sprintf("%s %o %d %s %s", f.Name, f.Mode, f.UID, f.Link, f.Data))
		if f.From == "" {
			continue
		}
		content, err := cache.FileKey(f.From)
		if err != nil {
			return layer{}, err
		}
		parts = append(parts, content)
	}
	fill := func(w *tar.Writer) error { return images.Add(w, list...) }
	return layer{name: name, key: cache.Key(parts...), fill: fill}, nil
}

// program is a layer with one program of ours. Its key is the build's, so that
// nothing large is read when it is made already.
func (m *maker) program(set, name string, at string) layer {
	from := m.programs.Path(set, name)
	fill := func(w *tar.Writer) error {
		return images.Add(w, images.File{Name: filepath.Dir(at) + "/", Mode: 0o755}, images.File{Name: at, Mode: 0o755, From: from})
	}
	return layer{name: set + "-" + name, key: cache.Key(from, at), fill: fill}
}

// unneeded are parts of a Debian tree that no container needs.
var unneeded = []string{
	"usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian",
	"var/cache", "var/lib/apt/lists", "var/log", "etc/resolv.conf", "etc/hostname", "tmp", "run", "dev", "proc", "sys",
}

func skipDebian(rel string) bool {
	for _, u := range unneeded {
		if strings.HasPrefix(rel, u+"/") || (rel == u && strings.Contains(u, ".")) {
			return true
		}
	}
	return false
}

func (m *maker) debianBase() layer {
	return layer{name: "debian-base", early: true, key: cache.Key("tree 1", debian.BaseKey()), fill: func(w *tar.Writer) error {
		root, err := debian.Base(m.ctx, m.cache, m.say)
		if err != nil {
			return err
		}
		return images.AddTree(w, root, "", skipDebian)
	}}
}

func (m *maker) debianDiff(d debian.Diff) layer {
	return layer{name: "debian-" + d.Name, early: true, key: cache.Key("tree 1", d.Key()), fill: func(w *tar.Writer) error {
		root, err := debian.Base(m.ctx, m.cache, m.say)
		if err != nil {
			return err
		}
		upper, err := d.Install(m.ctx, m.cache, root, m.say)
		if err != nil {
			return err
		}
		return images.AddTree(w, upper, "", skipDebian)
	}}
}

// toolchain is the machine's own Go, at its usual place.
func toolchain(goroot string) (layer, error) {
	version, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return layer{}, fmt.Errorf("reading the Go version: %w", err)
	}
	skip := func(rel string) bool { return rel == "test" || rel == "api" || rel == "doc" || rel == ".git" }
	fill := func(w *tar.Writer) error { return images.AddTree(w, goroot, "usr/local/go", skip) }
	return layer{name: "go", early: true, key: cache.Key("tree 1", string(version)), fill: fill}, nil
}
