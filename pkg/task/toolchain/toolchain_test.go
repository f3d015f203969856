package toolchain

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnv(t *testing.T) {
	t.Parallel()
	git := []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
	tests := map[string]struct {
		toolchain Toolchain
		want      []string
	}{
		"nothing said leaves Go its own settings": {want: append(slices.Clone(git), "GOFLAGS=-modcacherw")},
		"everything said": {
			toolchain: Toolchain{Cache: "/cache", Proxy: "http://proxy", SumDB: "off", Flags: "-mod=readonly"},
			want: append(slices.Clone(git), "GOFLAGS=-mod=readonly -modcacherw",
				"GOPROXY=http://proxy", "GOSUMDB=off", "GOMODCACHE=/cache/mod", "GOCACHE=/cache/build"),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.toolchain.Env()
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Env (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoSaysWhatFailedWhere(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	directory := t.TempDir()
	_, err := Toolchain{Directory: directory, Log: &log}.Go(t.Context(), []string{"list", "-nosuchflag"}, nil)
	if want := "go list in " + directory + ": exit status 2"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if !strings.Contains(log.String(), "nosuchflag") {
		t.Errorf("the log %q does not hold what go said", log.String())
	}
}

func TestCommitWithoutRepositoryIsNothing(t *testing.T) {
	t.Parallel()
	if got := (Toolchain{Directory: t.TempDir(), Log: &bytes.Buffer{}}).Commit(t.Context()); got != nil {
		t.Errorf("Commit = %v, want nothing", got)
	}
}

// TestWhatTakesTooLongEndsWithAllThatItStarted asks a shell, whose child does not hear it and
// would hold the output open for an hour.
func TestWhatTakesTooLongEndsWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := Toolchain{Directory: t.TempDir(), Grace: 100 * time.Millisecond}.Command(ctx, "sh", []string{"-c", "trap 'echo asked; exit 3' QUIT; sleep 3600 & echo began; wait"}, nil)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if first, err := lines.ReadString('\n'); first != "began\n" {
		t.Fatalf("it says %q, %v", first, err)
	}
	cancel()
	rest, err := io.ReadAll(lines)
	if string(rest) != "asked\n" || err != nil {
		t.Errorf("then it says %q, %v", rest, err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it ended with %v", err)
	}
}
