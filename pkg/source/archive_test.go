package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/source"
)

// entry is one of an archive; a file when it has no type.
type entry struct {
	name, text, link string
	kind             byte
}

func archive(t testing.TB, packed bool, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	var to io.WriteCloser = struct {
		io.Writer
		io.Closer
	}{&out, io.NopCloser(nil)}
	if packed {
		to = gzip.NewWriter(&out)
	}
	w := tar.NewWriter(to)
	for _, e := range entries {
		kind := e.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		header := &tar.Header{Typeflag: kind, Name: e.name, Linkname: e.link, Size: int64(len(e.text)), Mode: 0o777}
		if kind == tar.TypeXGlobalHeader {
			header = &tar.Header{Typeflag: kind, Name: e.name, PAXRecords: map[string]string{"comment": "x"}}
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnArchiveGivesItsFiles(t *testing.T) {
	t.Parallel()
	entries := []entry{
		{name: "pax_global_header", kind: tar.TypeXGlobalHeader}, {name: "./", kind: tar.TypeDir},
		{name: "./a.yaml", text: "a"}, {name: "dir/", kind: tar.TypeDir}, {name: "dir/b..yaml", text: "b"}, {name: "empty"},
	}
	for _, packed := range []bool{true, false} {
		got, err := source.Unpack(bytes.NewReader(archive(t, packed, entries...)), source.Usual())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(source.Files{"a.yaml": "a", "dir/b..yaml": "b", "empty": ""}, got); diff != "" {
			t.Errorf("packed %v (-want +got):\n%s", packed, diff)
		}
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	t.Parallel()
	const leads = " in the archive leads outside of it; pack paths below one directory, without `..`"
	limits := source.Limits{Files: 3, Bytes: 2 << 20}
	big := strings.Repeat("x", 1<<20)
	whole := archive(t, true, entry{name: "a", text: big})
	for name, tc := range map[string]struct {
		archive []byte
		want    string
	}{
		"an absolute path":            {archive(t, true, entry{name: "/etc/passwd"}), `"/etc/passwd"` + leads},
		"a path that climbs":          {archive(t, true, entry{name: "../x"}), `"../x"` + leads},
		"a path that climbs inside":   {archive(t, true, entry{name: "a/../../x"}), `"a/../../x"` + leads},
		"a path that climbs and ends": {archive(t, true, entry{name: "a/.."}), `"a/.."` + leads},
		"a directory that climbs":     {archive(t, true, entry{name: "../", kind: tar.TypeDir}), `"../"` + leads},
		"a path of another system":    {archive(t, true, entry{name: `..\x`}), `"..\\x"` + leads},
		"a symbolic link":             {archive(t, true, entry{name: "a", kind: tar.TypeSymlink, link: "/etc/passwd"}), `"a" in the archive is a link; pack the file that it points to`},
		"a hard link":                 {archive(t, true, entry{name: "a", kind: tar.TypeLink, link: "b"}), `"a" in the archive is a link; pack the file that it points to`},
		"a device":                    {archive(t, true, entry{name: "a", kind: tar.TypeChar}), `"a" in the archive is neither a file nor a directory; leave it out`},
		"a pipe":                      {archive(t, true, entry{name: "a", kind: tar.TypeFifo}), `"a" in the archive is neither a file nor a directory; leave it out`},
		"a file without a name":       {archive(t, true, entry{name: "."}), "a file in the archive has no name; pack it again"},
		"a path twice":                {archive(t, true, entry{name: "a"}, entry{name: "./a"}), `"a" is twice in the archive; pack it once`},
		"a long path":                 {archive(t, true, entry{name: strings.Repeat("a/", 300) + "b"}), `a path in the archive is longer than 512 bytes: "` + strings.Repeat("a/", 20) + `"...; shorten it`},
		"many files":                  {archive(t, true, entry{name: "a"}, entry{name: "b"}, entry{name: "c"}, entry{name: "d"}), "the archive holds more than 3 files; pack the manifests alone"},
		"large files":                 {archive(t, true, entry{name: "a", text: big}, entry{name: "b", text: big}, entry{name: "c", text: "x"}), "the archive unpacks to more than 2 MiB; pack the manifests alone"},
		"what is large and no file":   {bombed(t), "the archive unpacks to more than 2 MiB; pack the manifests alone"},
		"nothing":                     {archive(t, true), "the archive holds no files; pack the manifests into a tar archive"},
		"half an archive":             {whole[:len(whole)/2], "it is not a whole tar archive: unexpected EOF; pack and push it again"},
		"a text":                      {[]byte("kind: ConfigMap\n"), "it is not a whole tar archive: unexpected EOF; pack and push it again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := source.Unpack(bytes.NewReader(tc.archive), limits)
			var wrong *source.Error
			if err == nil || files != nil || !errors.As(err, &wrong) {
				t.Fatalf("got %v, %v", files, err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// bombed is an archive whose extended headers, and no files, are large.
func bombed(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	w := tar.NewWriter(packed)
	for range 3 {
		header := &tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{"comment": strings.Repeat("x", 1<<20-100)}}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Whatever an archive holds, its files are inside and within the limits.
func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, false, entry{name: "a/b", text: "x"}))
	f.Add(archive(f, true, entry{name: "../b", text: "x"}))
	f.Add(archive(f, false, entry{name: "a", kind: tar.TypeSymlink, link: "/"}))
	f.Add([]byte{0x1f, 0x8b})
	limits := source.Limits{Files: 3, Bytes: 1 << 10}
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := source.Unpack(bytes.NewReader(data), limits)
		var wrong *source.Error
		if err != nil {
			if !errors.As(err, &wrong) || files != nil {
				t.Fatalf("got %v, %v", files, err)
			}
			return
		}
		within(t, files, limits)
	})
}

// within checks that files are inside and within limits.
func within(t *testing.T, files source.Files, limits source.Limits) {
	t.Helper()
	size := 0
	for name, text := range files {
		if !fs.ValidPath(name) || path.IsAbs(name) || name == "." {
			t.Errorf("%q is not inside", name)
		}
		size += len(text)
	}
	if len(files) == 0 || len(files) > limits.Files || int64(size) > limits.Bytes {
		t.Errorf("%d files of %d bytes", len(files), size)
	}
}
