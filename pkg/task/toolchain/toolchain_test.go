package toolchain

import (
	"bytes"
	"slices"
	"strings"
	"testing"

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
