package artifacts

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shots/a.png": "a", "shots/deep/b.png": "b", "trace.zip": "t", "other.txt": "o", "secret": "s", ".spock/artifacts/old.png": "old",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "shots", "link.png")); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		patterns []string
		want     []string
		err      string
	}{
		"none":                       {nil, nil, ""},
		"a directory, without links": {[]string{"shots"}, []string{"shots/a.png", "shots/deep/b.png"}, ""},
		"files":                      {[]string{"*.zip", "shots/*.png", "nothing.*"}, []string{"shots/a.png", "trace.zip"}, ""},
		"one that climbs":            {[]string{"../*"}, nil, "leaves the directory"},
		"one that is none":           {[]string{"["}, nil, "syntax error in pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			err := Keep(folder, dir, tt.patterns)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, files(t, folder)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// What is kept below the directory itself is not kept again, each time a level deeper.
func TestWhatIsKeptIsNotKeptAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, ".spock", "artifacts")
	for range 2 {
		if err := Keep(folder, dir, []string{"*", ".spock"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"a.png"}, files(t, folder)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func files(t *testing.T, folder string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(folder, path)
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
