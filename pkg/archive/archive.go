// Package archive reads plain archives from the servers that publish them, as layers of a
// file tree. An archive is known by its digest: whatever a server sends that has another
// one is an error before the end of the layer is read. Package archive keeps nothing, and
// unpacks nothing; rootfs makes sure that what is in it is safe.
package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"spock.dev/spock/pkg/rootfs"
)

// Source is an archive and how it is laid out.
type Source struct {
	// URL to get it from, and SHA256 that it must have, in lower-case hexadecimal.
	URL, SHA256 string
	// Strip is how many leading directories of each name are left out. What has no more of
	// them is left out too.
	Strip int
	// Below is the directory in which its files are put.
	Below string
	// Name and Password for the server; none when both are empty.
	Name, Password string
}

// Layer is the archive as a layer, with some more directories, which are empty. ctx is for
// all that is read of it later.
func (s Source) Layer(ctx context.Context, client *http.Client, empty ...string) rootfs.Layer {
	return rootfs.Layer{
		// The layer is what its archive is, put together in this way.
		DiffID: fmt.Sprintf("archive 1 %s %d %s %s", s.SHA256, s.Strip, s.Below, strings.Join(empty, " ")),
		Open: func() (io.ReadCloser, error) {
			content, err := s.get(ctx, client)
			if err != nil {
				return nil, err
			}
			reader, writer := io.Pipe()
			go func() {
				defer content.Close()
				_ = writer.CloseWithError(s.copy(writer, content, empty))
			}()
			return reader, nil
		},
	}
}

func (s Source) get(ctx context.Context, client *http.Client) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "spock")
	request.Header.Set("Accept-Encoding", "identity") // the digest is that of what is published
	if s.Name != "" || s.Password != "" {
		request.SetBasicAuth(s.Name, s.Password)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", s.URL, answer.Status)
	}
	return answer.Body, nil
}

// copy writes the archive as it is to be. Its end is not written before all of the source
// has been read and has the right digest.
func (s Source) copy(to io.Writer, content io.Reader, empty []string) error {
	sum := sha256.New()
	counted := io.TeeReader(content, sum)
	out := tar.NewWriter(to)
	for _, name := range append([]string{s.Below}, empty...) {
		if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}); err != nil {
			return err
		}
	}
	failed := s.entries(out, counted)
	if errors.Is(failed, io.ErrClosedPipe) {
		return failed // nobody reads any more
	}
	if _, err := io.Copy(io.Discard, counted); err != nil {
		return fmt.Errorf("read %s: %w", s.URL, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != s.SHA256 {
		return fmt.Errorf("%s has the SHA-256 %s, and not %s", s.URL, got, s.SHA256)
	}
	if failed != nil {
		return failed
	}
	return out.Close()
}

// entries are those of the source, under other names.
func (s Source) entries(out *tar.Writer, from io.Reader) error {
	plain, err := unpacked(from)
	if err != nil {
		return fmt.Errorf("%s is no archive that can be read: %w", s.URL, err)
	}
	in := tar.NewReader(plain)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is no archive that can be read: %w", s.URL, err)
		}
		named, keep := s.renamed(header)
		if !keep {
			continue
		}
		if err := out.WriteHeader(named); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

// unpacked is what gzip packed, or the same again.
func unpacked(from io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(from)
	if magic, _ := buffered.Peek(2); string(magic) != "\x1f\x8b" {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}

// renamed is an entry at its place; one that is stripped away is not kept. Names that climb
// stay as they are, for rootfs to refuse.
func (s Source) renamed(h *tar.Header) (*tar.Header, bool) {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink, tar.TypeGNUSparse:
	default:
		return nil, false
	}
	name, ok := s.place(h.Name)
	if !ok {
		return nil, false
	}
	out := &tar.Header{Typeflag: h.Typeflag, Name: name, Linkname: h.Linkname, Mode: h.Mode & 0o777, Size: h.Size, Format: tar.FormatPAX}
	if h.Typeflag == tar.TypeGNUSparse {
		out.Typeflag = tar.TypeReg
	}
	if h.Typeflag == tar.TypeLink {
		out.Linkname, ok = s.place(h.Linkname)
	}
	return out, ok
}

func (s Source) place(name string) (string, bool) {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
	for len(parts) > 0 && parts[0] == "." {
		parts = parts[1:]
	}
	if len(parts) <= s.Strip {
		return "", false
	}
	return s.Below + "/" + strings.Join(parts[s.Strip:], "/"), true
}
