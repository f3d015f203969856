package source

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Limits bound what an archive may hold.
type Limits struct {
	// Files, and the longest sum of their sizes.
	Files int
	Bytes int64
	// whole are the limits of several archives, of which these are what the others have left.
	whole *Limits
}

// Usual are limits that manifests do not reach.
func Usual() Limits { return Limits{Files: 2000, Bytes: 16 << 20} }

// OfArtifacts are the limits of all artifacts of an environment together.
func OfArtifacts() Limits { return Limits{Files: 4000, Bytes: 50 << 20} }

// without is what the files leave of the limits.
func (l Limits) without(files Files) Limits {
	if l.whole == nil {
		whole := l
		l.whole = &whole
	}
	l.Files -= len(files)
	for _, text := range files {
		l.Bytes -= int64(len(text))
	}
	return l
}

const (
	// maxPath is the longest path of a file.
	maxPath = 512
	// overhead is what an archive may take for a file besides its content.
	overhead = 4 << 10
)

// Unpack reads a tar archive, compressed by gzip or not, into files. It is refused as a
// whole when it holds a path that leads outside, a link, a device, a path twice, or more
// than the limits allow. Directories are not kept.
func Unpack(archive io.Reader, limits Limits) (Files, error) {
	plain, err := inflate(archive)
	if err != nil {
		return nil, err
	}
	u := unpacking{files: Files{}, left: limits, limits: limits}
	entries := tar.NewReader(&bounded{from: plain, left: limits.Bytes + int64(limits.Files)*overhead, limits: limits})
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return u.whole()
		}
		if err != nil {
			return nil, broken(err)
		}
		if err := u.take(header, entries); err != nil {
			return nil, err
		}
	}
}

// inflate undoes the compression, where there is one.
func inflate(archive io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(archive)
	if start, _ := buffered.Peek(2); len(start) < 2 || start[0] != 0x1f || start[1] != 0x8b {
		return buffered, nil
	}
	plain, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, broken(err)
	}
	return plain, nil
}

// bounded ends with an error where an archive unpacks to more than any of its files says.
type bounded struct {
	from   io.Reader
	left   int64
	limits Limits
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.limits.TooMuch()
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Whole is how many bytes all archives may hold together.
func (l Limits) Whole() int64 {
	if l.whole != nil {
		return l.whole.Bytes
	}
	return l.Bytes
}

// TooMuch refuses what does not fit.
func (l Limits) TooMuch() error {
	if l.whole != nil {
		return &Error{fmt.Sprintf("with what was read before it, it is more than %d MiB", l.whole.Bytes>>20), "pack the manifests alone"}
	}
	return &Error{fmt.Sprintf("the archive unpacks to more than %d MiB", l.Bytes>>20), "pack the manifests alone"}
}

func (l Limits) tooMany() error {
	if l.whole != nil {
		return &Error{fmt.Sprintf("with what was read before it, it is more than %d files", l.whole.Files), "pack the manifests alone"}
	}
	return &Error{fmt.Sprintf("the archive holds more than %d files", l.Files), "pack the manifests alone"}
}

// unpacking is the state of Unpack.
type unpacking struct {
	files        Files
	left, limits Limits
}

// take adds an entry to the files.
func (u *unpacking) take(header *tar.Header, content io.Reader) error {
	if u.left.Files--; u.left.Files < 0 {
		return u.limits.tooMany()
	}
	name, err := inside(header.Name)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg:
	case tar.TypeSymlink, tar.TypeLink:
		return &Error{fmt.Sprintf("%q in the archive is a link", name), "pack the file that it points to"}
	default:
		return &Error{fmt.Sprintf("%q in the archive is neither a file nor a directory", name), "leave it out"}
	}
	if name == "." {
		return &Error{"a file in the archive has no name", "pack it again"}
	}
	if _, twice := u.files[name]; twice {
		return &Error{fmt.Sprintf("%q is twice in the archive", name), "pack it once"}
	}
	text := &strings.Builder{}
	n, err := io.Copy(text, io.LimitReader(content, u.left.Bytes+1))
	if u.left.Bytes -= n; u.left.Bytes < 0 {
		return u.limits.TooMuch()
	}
	if err != nil {
		return broken(err)
	}
	u.files[name] = text.String()
	return nil
}

// whole are the files at the end of the archive.
func (u *unpacking) whole() (Files, error) {
	if len(u.files) == 0 {
		return nil, &Error{"the archive holds no files", "pack the manifests into a tar archive"}
	}
	return u.files, nil
}

// inside is a path as it is below the files, when it is there.
func inside(name string) (string, error) {
	clean := path.Clean(strings.TrimSuffix(name, "/"))
	switch {
	case len(name) > maxPath:
		return "", &Error{fmt.Sprintf("a path in the archive is longer than %d bytes: %.40q...", maxPath, name), "shorten it"}
	case !fs.ValidPath(clean) || strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(name, "/") || hasParent(name):
		return "", &Error{fmt.Sprintf("%q in the archive leads outside of it", name), "pack paths below one directory, without `..`"}
	}
	return clean, nil
}

func hasParent(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

func broken(err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	return &Error{"it is not a whole tar archive: " + err.Error(), "pack and push it again"}
}
