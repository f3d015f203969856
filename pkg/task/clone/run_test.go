package clone

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository makes a repository with two commits and returns its path and their ids.
func repository(t *testing.T) (path, first, second string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git on this machine")
	}
	path = t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", path}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func(text string) string {
		write(t, filepath.Join(path, "file"), text)
		git("add", "file")
		git("commit", "--quiet", "-m", text)
		return git("rev-parse", "HEAD")
	}
	git("init", "--quiet", "--initial-branch=main")
	return path, commit("one"), commit("two")
}

func TestRun(t *testing.T) {
	t.Parallel()
	path, first, second := repository(t)
	tests := map[string]struct {
		revision string
		want     string
	}{
		"the default branch": {want: second},
		"a branch":           {revision: "main", want: second},
		"an older commit":    {revision: first, want: first},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			workspace := t.TempDir()
			write(t, filepath.Join(workspace, "src", "stale"), "left over")
			o := Options{URL: "file://" + path, Revision: tt.revision, Depth: 1, Workspace: workspace, Subdirectory: "src", DeleteExisting: true, Submodules: true, SSLVerify: true}
			var log bytes.Buffer
			got, err := Run(t.Context(), Git{Log: &log}, o)
			if err != nil {
				t.Fatalf("%v\n%s", err, log.String())
			}
			if diff := cmp.Diff([]string{tt.want, "2026-01-02T03:04:05Z"}, []string{got.Commit, got.Committed.UTC().Format("2006-01-02T15:04:05Z")}); diff != "" {
				t.Errorf("clone (-want +got):\n%s", diff)
			}
			if _, err := os.Stat(filepath.Join(workspace, "src", "stale")); !os.IsNotExist(err) {
				t.Errorf("what was there before is still there: %v", err)
			}
			if got, err := Run(t.Context(), Git{Log: &log}, func() Options { o.DeleteExisting = false; return o }()); err != nil || got.Commit != tt.want {
				t.Errorf("a second run over the first: %v, %v\n%s", got, err, log.String())
			}
		})
	}
}

func TestRunSaysWhatGitSaid(t *testing.T) {
	t.Parallel()
	path, _, _ := repository(t)
	_, err := Run(t.Context(), Git{Log: &bytes.Buffer{}}, Options{URL: path, Revision: "nowhere", Workspace: t.TempDir()})
	want := "clone " + path + ": git fetch: exit status 128: fatal: couldn't find remote ref nowhere"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestCredentialsAreCopiedForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	home, basic, ssh := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(basic, ".git-credentials"), "https://u:p@git.example.com")
	write(t, filepath.Join(ssh, "id_ed25519"), "key")
	write(t, filepath.Join(ssh, "..data", "id_ed25519"), "key")
	if err := Credentials(home, basic, ssh); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".git-credentials", ".ssh/id_ed25519"} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
	}
	if _, err := os.Stat(filepath.Join(home, ".ssh", "..data")); !os.IsNotExist(err) {
		t.Errorf("the inside of the mount was copied: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
