package gobuild

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const koYAML = `
defaultBaseImage: registry.example.com/static:1
baseImageOverrides:
  example.com/shop/cmd/tool: registry.example.com/debian:12
defaultEnv: [GOEXPERIMENT=x]
defaultLdflags: -s -w
defaultPlatforms: [linux/arm64]
builds:
- id: orders
  main: ./cmd/orders
  flags: [-tags, netgo]
  ldflags:
  - -X main.version={{.Git.ShortCommit}}
  - -X main.channel={{.Env.CHANNEL}}
- id: file
  dir: sub
  main: cmd/file/main.go
  env: [GOAMD64=v3]
`

func config(t *testing.T, text string) (Config, string) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, ".ko.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(root)
	if err != nil {
		t.Fatal(err)
	}
	return c, root
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c, root := config(t, koYAML)
	facts := map[string]any{"Env": map[string]string{"CHANNEL": "edge"}, "Git": map[string]string{"ShortCommit": "0a1b"}}
	tests := map[string]struct {
		directory string
		want      Settings
	}{
		"a package without a build has the defaults": {directory: "cmd/web", want: Settings{Env: []string{"GOEXPERIMENT=x"}, Ldflags: []string{"-s", "-w"}}},
		"a build replaces what it names, expressions filled in": {directory: "cmd/orders", want: Settings{
			Env: []string{"GOEXPERIMENT=x"}, Flags: []string{"-tags", "netgo"},
			Ldflags: []string{"-X main.version=0a1b", "-X main.channel=edge"}}},
		"a build may name a file": {directory: "sub/cmd/file", want: Settings{Env: []string{"GOAMD64=v3"}, Ldflags: []string{"-s", "-w"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Settings(root, Package{Dir: filepath.Join(root, tt.directory)}, facts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettingsSayWhatAnExpressionMayHold(t *testing.T) {
	t.Parallel()
	c := Config{DefaultLdflags: Words{"{{.Moon}}"}}
	_, err := c.Settings("/", Package{ImportPath: "example.com/a", Dir: "/a"}, map[string]any{})
	want := `.ko.yaml, settings of example.com/a: "{{.Moon}}": template: word:1:2: executing "word" at <.Moon>: map has no entry for key "Moon"; ` +
		`known are .Env.NAME, .Git.FullCommit, .Git.ShortCommit and .Git.CommitTimestamp`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	c, _ := config(t, koYAML)
	tests := map[string]struct {
		config             Config
		importPath, wanted string
		want               string
	}{
		"the override of a package is strongest": {config: c, importPath: "example.com/shop/cmd/tool", wanted: "x", want: "registry.example.com/debian:12"},
		"then what the caller wants":             {config: c, wanted: "x", want: "x"},
		"then the default of the file":           {config: c, want: "registry.example.com/static:1"},
		"there is no other":                      {want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.config.Base(tt.importPath, tt.wanted); got != tt.want {
				t.Errorf("Base = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReadConfigWithoutFileIsEmpty(t *testing.T) {
	t.Parallel()
	got, err := ReadConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Config{}, got); diff != "" {
		t.Errorf("ReadConfig (-want +got):\n%s", diff)
	}
}
