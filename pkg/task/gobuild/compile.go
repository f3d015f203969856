package gobuild

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Compile is one call of the Go toolchain that builds several commands.
type Compile struct {
	// Args follow `go`; Env is added to the environment.
	Args, Env []string
	// Packages are the commands built.
	Packages []Package
}

// Plan groups the packages by their settings: each group is one call, in which the
// toolchain loads and compiles what they share only once. Binaries go to the directory.
func Plan(packages []Package, settings func(Package) (Settings, error), platform Platform, directory string) ([]Compile, error) {
	var plan []Compile
	index := map[string]int{}
	for _, p := range packages {
		s, err := settings(p)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%q%q%q", s.Env, s.Flags, s.Ldflags)
		i, known := index[key]
		if !known {
			i = len(plan)
			index[key] = i
			plan = append(plan, Compile{Args: buildArgs(s, directory), Env: buildEnv(s, platform)})
		}
		plan[i].Packages = append(plan[i].Packages, p)
		plan[i].Args = append(plan[i].Args, p.ImportPath)
	}
	return plan, nil
}

// Binary is where Plan's calls leave the command.
func Binary(directory string, p Package) string { return filepath.Join(directory, p.Service()) }

func buildArgs(s Settings, directory string) []string {
	args := append([]string{"build", "-trimpath"}, s.Flags...)
	if len(s.Ldflags) > 0 {
		args = append(args, "-ldflags="+strings.Join(s.Ldflags, " "))
	}
	return append(args, "-o", directory+string(filepath.Separator), "--")
}

func buildEnv(s Settings, platform Platform) []string {
	return append([]string{"CGO_ENABLED=0", "GOOS=" + platform.OS, "GOARCH=" + platform.Architecture}, s.Env...)
}

// Platform is what an image runs on.
type Platform struct{ OS, Architecture string }

// ParsePlatform reads os/architecture; empty is the given default.
func ParsePlatform(text string, none Platform) (Platform, error) {
	if text == "" {
		return none, nil
	}
	system, architecture, found := strings.Cut(text, "/")
	if !found || system == "" || architecture == "" || strings.Contains(architecture, "/") {
		return Platform{}, fmt.Errorf("platform %q: write os/architecture, for example linux/arm64", text)
	}
	return Platform{OS: system, Architecture: architecture}, nil
}
