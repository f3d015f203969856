// Package images makes container images of files on disk, without a container
// engine: layers are tar files, an image is an OCI layout folder, which is what
// containerd imports and what the registry keeps.
package images

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// capabilities is the extended attribute in which the kernel keeps those of a program.
const capabilities = "security.capability"

// epoch is the time of every file: equal content gives equal layers.
var epoch = time.Unix(0, 0)

// File is one entry of a small layer. Exactly one of Data, From and Link is used;
// a name that ends with a slash is a folder.
type File struct {
	Name string
	Mode int64
	UID  int
	Data string // the content
	From string // a file of the machine
	Link string // target of a symbolic link
}

// Layer writes a compressed layer file; fill adds the entries.
func Layer(file string, fill func(*tar.Writer) error) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("creating a layer: %w", err)
	}
	defer f.Close()
	zip, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("creating a layer: %w", err)
	}
	w := tar.NewWriter(zip)
	if err := fill(w); err != nil {
		return fmt.Errorf("filling a layer: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("closing a layer: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("closing a layer: %w", err)
	}
	return f.Close()
}

// Add writes the files of a small layer.
func Add(w *tar.Writer, files ...File) error {
	for _, f := range files {
		if err := add(w, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func add(w *tar.Writer, f File) error {
	h := &tar.Header{Name: f.Name, Mode: f.Mode, Uid: f.UID, Gid: f.UID, ModTime: epoch, Typeflag: tar.TypeReg}
	var content io.Reader = strings.NewReader(f.Data)
	h.Size = int64(len(f.Data))
	switch {
	case strings.HasSuffix(f.Name, "/"):
		h.Typeflag = tar.TypeDir
	case f.Link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
	case f.From != "":
		src, err := os.Open(f.From)
		if err != nil {
			return err
		}
		defer src.Close()
		info, err := src.Stat()
		if err != nil {
			return err
		}
		content, h.Size = src, info.Size()
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.CopyN(w, content, h.Size)
	return err
}

// AddTree writes a folder of the machine under a prefix ("" for the image's root).
// skip is asked with paths relative to the folder. A character device 0/0 is
// overlayfs's mark of a removed file and becomes the image format's.
func AddTree(w *tar.Writer, root, prefix string, skip func(rel string) bool) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		if skip(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return addNode(w, p, path.Join(prefix, rel), d)
	})
}

func addNode(w *tar.Writer, p, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if info.Mode()&(fs.ModeDevice|fs.ModeSocket|fs.ModeNamedPipe) != 0 {
		return addDevice(w, name, info)
	}
	var link string
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(p); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.ModTime, h.AccessTime, h.ChangeTime = name, epoch, time.Time{}, time.Time{}
	h.Uname, h.Gname = "", ""
	if err := addCapabilities(h, p); err != nil {
		return err
	}
	if d.IsDir() {
		h.Name += "/"
	}
	if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// addCapabilities keeps those of a program, which lie in an extended attribute.
func addCapabilities(h *tar.Header, p string) error {
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	value := make([]byte, 64)
	n, err := unix.Lgetxattr(p, capabilities, value)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("capabilities of %s: %w", p, err)
	}
	h.PAXRecords = map[string]string{"SCHILY.xattr." + capabilities: string(value[:n])}
	return nil
}

// addDevice leaves devices out; containers get their own. Only the mark of a
// removed file has a meaning.
func addDevice(w *tar.Writer, name string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&fs.ModeCharDevice == 0 || st.Rdev != 0 {
		return nil
	}
	return add(w, File{Name: path.Join(path.Dir(name), ".wh."+path.Base(name)), Mode: 0o644})
}
