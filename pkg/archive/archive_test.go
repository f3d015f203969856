package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/archive"
	"spock.dev/spock/pkg/rootfs"
)

type e = tar.Header

func packed(t *testing.T, zip bool, entries ...e) []byte {
	t.Helper()
	var raw bytes.Buffer
	var to io.WriteCloser = nopCloser{&raw}
	if zip {
		to = gzip.NewWriter(&raw)
	}
	out := tar.NewWriter(to)
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, h.Mode = tar.TypeReg, int64(len(h.Name)), 0o755
		}
		if err := out.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			_, _ = io.WriteString(out, h.Name)
		}
	}
	if err := errors.Join(out.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// serve publishes something, for the user me.
func serve(t *testing.T, content []byte) archive.Source {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "me" || password != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(content)
	return archive.Source{URL: server.URL + "/a.tgz", SHA256: hex.EncodeToString(sum[:]), Below: "app", Name: "me", Password: "hush"}
}

// names are what a layer holds, with what links lead to.
func names(t *testing.T, l rootfs.Layer) ([]string, error) {
	t.Helper()
	stream, err := l.Open()
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var out []string
	in := tar.NewReader(stream)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		text := h.Name
		if h.Linkname != "" {
			text += " -> " + h.Linkname
		}
		out = append(out, text)
	}
}

func TestAnArchiveIsALayer(t *testing.T) {
	t.Parallel()
	entries := []e{
		{Name: "./app-1/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "./app-1/bin/run"}, {Name: "app-1/hard", Typeflag: tar.TypeLink, Linkname: "app-1/bin/run"},
		{Name: "app-1/soft", Typeflag: tar.TypeSymlink, Linkname: "bin/run"}, {Name: "README"}, {Name: "app-1/null", Typeflag: tar.TypeChar},
	}
	for name, tc := range map[string]struct {
		zip   bool
		strip int
		want  []string
	}{
		"packed with gzip": {true, 1, []string{"app/", "usr/", "app/bin/run", "app/hard -> app/bin/run", "app/soft -> bin/run"}},
		"as it is":         {false, 0, []string{"app/", "usr/", "app/app-1", "app/app-1/bin/run", "app/app-1/hard -> app/app-1/bin/run", "app/app-1/soft -> bin/run", "app/README"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := serve(t, packed(t, tc.zip, entries...))
			from.Strip = tc.strip
			layer := from.Layer(t.Context(), http.DefaultClient, "usr")
			got, err := names(t, layer)
			if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
				t.Errorf("layer (-want +got), %v:\n%s", err, diff)
			}
			if tree, err := rootfs.Read([]rootfs.Layer{layer}, "", rootfs.Usual()); err != nil || len(tree.Parts()) != 2 {
				t.Errorf("as a tree: %v", err)
			}
			other := from
			other.Strip++
			if other.Layer(t.Context(), http.DefaultClient).DiffID == layer.DiffID {
				t.Error("another tree has the same digest")
			}
		})
	}
}

func TestWhatIsNotTheArchiveIsRefused(t *testing.T) {
	t.Parallel()
	good := packed(t, true, e{Name: "a"})
	for name, tc := range map[string]struct {
		content []byte
		change  func(*archive.Source)
		want    string
	}{
		"another content":     {good, func(s *archive.Source) { s.SHA256 = strings.Repeat("0", 64) }, "/a.tgz has the SHA-256 "},
		"no archive":          {[]byte("<html>"), nil, "/a.tgz is no archive that can be read"},
		"a broken archive":    {good[:len(good)/2], nil, "is no archive that can be read"},
		"more behind its end": {append(bytes.Clone(good), good...), func(s *archive.Source) { s.SHA256 = strings.Repeat("0", 64) }, "has the SHA-256"},
		"nobody is let in":    {good, func(s *archive.Source) { s.Password = "hash" }, "/a.tgz: 401 Unauthorized"},
		"a name that climbs":  {packed(t, true, e{Name: "x/../../../etc/passwd"}), nil, "climbs"},
		"no server":           {good, func(s *archive.Source) { s.URL = "http://127.0.0.1:1/a" }, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := serve(t, tc.content)
			if tc.change != nil {
				tc.change(&from)
			}
			_, err := rootfs.Read([]rootfs.Layer{from.Layer(t.Context(), http.DefaultClient)}, "", rootfs.Usual())
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("Read() = %v, want %q in it", err, tc.want)
			}
		})
	}
}

// A server that sends something else once its archive is known is found out before what it
// sent is used.
func TestAnArchiveThatChangesIsNotUsed(t *testing.T) {
	t.Parallel()
	content := packed(t, false, e{Name: "a"}, e{Name: "b"})
	from := serve(t, content)
	tree, err := rootfs.Read([]rootfs.Layer{from.Layer(t.Context(), http.DefaultClient)}, "", rootfs.Usual())
	if err != nil {
		t.Fatal(err)
	}
	copy(content[bytes.LastIndex(content, []byte("b")):], "c") // the content of the last file
	for _, part := range tree.Parts() {
		if err := part.Write(io.Discard); part.Bytes > 0 && (err == nil || !strings.Contains(err.Error(), "has the SHA-256")) {
			t.Errorf("Write() = %v", err)
		}
	}
}
