package gobuild

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMains(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		list string
		want []Package
		err  string
	}{
		"libraries are left out": {
			list: `{"ImportPath":"e/pkg","Name":"pkg"} {"ImportPath":"e/cmd/web","Name":"main","Dir":"/s/cmd/web"}`,
			want: []Package{{ImportPath: "e/cmd/web", Name: "main", Dir: "/s/cmd/web"}},
		},
		"no command at all": {
			list: `{"ImportPath":"e/pkg","Name":"pkg"}`,
			err:  "the packages hold no command (package main) to build; name at least one",
		},
		"two of one name": {
			list: `{"ImportPath":"e/a/web","Name":"main"} {"ImportPath":"e/b/web","Name":"main"}`,
			err:  "packages e/a/web and e/b/web would both become the image web; build them in two runs with different repositories",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Mains(strings.NewReader(tt.list))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Mains (-want +got):\n%s", diff)
			}
			if text := message(err); text != tt.err {
				t.Errorf("error %q, want %q", text, tt.err)
			}
		})
	}
}

func TestService(t *testing.T) {
	t.Parallel()
	for importPath, want := range map[string]string{"e/cmd/web": "web", "e/shop": "shop", "e/shop/v2": "shop", "v2": "v2"} {
		if got := (Package{ImportPath: importPath}).Service(); got != want {
			t.Errorf("service of %s is %s, want %s", importPath, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	got, err := Patterns([]string{"./cmd/...", "ko://e/cmd/web"})
	if diff := cmp.Diff([]string{"./cmd/...", "e/cmd/web"}, got); diff != "" || err != nil {
		t.Errorf("Patterns: %v (-want +got):\n%s", err, diff)
	}
	if _, err := Patterns([]string{"-exec=id"}); message(err) != `package "-exec=id": it is empty or begins with a dash; write an import path or a pattern such as ./cmd/...` {
		t.Errorf("error %v", err)
	}
}

func TestPlanBuildsAlikePackagesInOneCall(t *testing.T) {
	t.Parallel()
	a, b, c := Package{ImportPath: "e/a"}, Package{ImportPath: "e/b"}, Package{ImportPath: "e/c"}
	settings := func(p Package) (Settings, error) {
		if p == b {
			return Settings{Env: []string{"CGO_ENABLED=1"}, Flags: []string{"-tags", "x"}, Ldflags: []string{"-s", "-X main.v=1"}}, nil
		}
		return Settings{}, nil
	}
	got, err := Plan([]Package{a, b, c}, settings, Platform{OS: "linux", Architecture: "arm64"}, "/out")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64"}
	want := []Compile{
		{Args: []string{"build", "-trimpath", "-o", "/out/", "--", "e/a", "e/c"}, Env: env, Packages: []Package{a, c}},
		{Args: []string{"build", "-trimpath", "-tags", "x", "-ldflags=-s -X main.v=1", "-o", "/out/", "--", "e/b"}, Env: append(env, "CGO_ENABLED=1"), Packages: []Package{b}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Plan (-want +got):\n%s", diff)
	}
}

func TestParsePlatform(t *testing.T) {
	t.Parallel()
	here := Platform{OS: "linux", Architecture: "amd64"}
	if got, err := ParsePlatform("", here); got != here || err != nil {
		t.Errorf("empty is %v, %v; want %v", got, err, here)
	}
	if got, err := ParsePlatform("linux/arm64", here); got.Architecture != "arm64" || err != nil {
		t.Errorf("linux/arm64 is %v, %v", got, err)
	}
	if _, err := ParsePlatform("arm64", here); message(err) != `platform "arm64": write os/architecture, for example linux/arm64` {
		t.Errorf("error %v", err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
