package gobuild

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	appDirectory  = "/ko-app"
	dataDirectory = "/var/run/ko"
)

// tree writes files into a tar as root's, readable by all, from the beginning of time:
// nothing of the machine that built them shows in the digest.
type tree struct {
	tar  *tar.Writer
	made map[string]bool
}

func (t tree) directory(name string) error {
	if name == "/" || name == "." || t.made[name] {
		return nil
	}
	if err := t.directory(path.Dir(name)); err != nil {
		return err
	}
	t.made[name] = true
	return t.tar.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o555, ModTime: time.Unix(0, 0)})
}

func (t tree) file(name, from string, mode int64) error {
	if err := t.directory(path.Dir(name)); err != nil {
		return err
	}
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: info.Size(), ModTime: time.Unix(0, 0)}
	if err := t.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(t.tar, file)
	return err
}

// layer packs what fill writes.
func layer(fill func(tree) error) (v1.Layer, error) {
	var buffer bytes.Buffer
	t := tree{tar: tar.NewWriter(&buffer), made: map[string]bool{}}
	if err := fill(t); err != nil {
		return nil, err
	}
	if err := t.tar.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil
	})
}

func binaryLayer(p Package, binary string) (v1.Layer, error) {
	l, err := layer(func(t tree) error { return t.file(path.Join(appDirectory, p.Service()), binary, 0o555) })
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", p.ImportPath, err)
	}
	return l, nil
}

// dataLayer holds the files of the package's kodata directory, symbolic links followed
// as ko does. It is nil when there is none.
func dataLayer(p Package) (v1.Layer, error) {
	root := filepath.Join(p.Dir, "kodata")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	l, err := layer(func(t tree) error {
		if err := t.directory(dataDirectory); err != nil {
			return err
		}
		return t.data(root, dataDirectory)
	})
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", root, err)
	}
	return l, nil
}

func (t tree) data(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), path.Join(to, entry.Name())
		info, err := os.Stat(source)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = t.data(source, target)
		default:
			err = t.file(target, source, 0o444)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
