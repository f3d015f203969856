// Package build makes the programs that a cluster is made of, from Go modules.
// Each set of programs is kept by a hash of the module files, the sources and
// the flags; a set that is in the cache needs neither modules nor a compiler run.
package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sort"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/host"
)

// Set is one `go build` with one or more programs.
type Set struct {
	Name     string   // also the folder's name in the cache
	Dir      string   // folder of the go.mod, relative to the tool's module
	Packages []string // import paths; those that start with ./ are sources of the module
	Ldflags  string
	Note     string // said when it has to be built
}

const (
	pipeline = "github.com/tektoncd/pipeline/cmd/"
	triggers = "github.com/tektoncd/triggers/cmd/"
	version  = "k8s.io/component-base/version"
	client   = "k8s.io/client-go/pkg/version" // what kubectl and the components call themselves in requests
)

// Kubernetes is what the API server says it is; the version of the module in go.mod.
const Kubernetes = "v1.36.3"

// Sets returns all programs, the slowest build first.
func Sets() []Set {
	stripped := "-s -w"
	stamped := fmt.Sprintf("-s -w -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=36 -X %[1]s.gitTreeState=clean"+
		" -X %[1]s.gitCommit=0000000000000000000000000000000000000000 -X %[1]s.buildDate=2026-01-01T00:00:00Z"+
		" -X %[3]s.gitVersion=%[2]s -X %[3]s.gitCommit=0000000", version, Kubernetes, client)
	return []Set{
		{Name: "kubebox", Dir: ".", Packages: []string{"./cmd/kubebox"}, Ldflags: stamped, Note: "Kubernetes, about six minutes on two cores"},
		{Name: "pipeline", Dir: ".", Ldflags: stripped, Note: "Tekton Pipelines", Packages: under(pipeline,
			"controller", "webhook", "events", "resolvers", "entrypoint", "nop", "workingdirinit", "sidecarlogresults")},
		{Name: "triggers", Dir: ".", Ldflags: stripped, Note: "Tekton Triggers", Packages: under(triggers,
			"controller", "webhook", "eventlistenersink", "interceptors")},
		{Name: "tkn", Dir: ".", Ldflags: stripped, Note: "tkn", Packages: []string{"github.com/tektoncd/cli/cmd/tkn"}},
		{Name: "pause", Dir: ".", Ldflags: stripped, Note: "pause", Packages: []string{"./cmd/pause"}},
		{Name: "skipper", Dir: "ingress", Ldflags: stripped, Note: "the ingress", Packages: []string{"github.com/zalando/skipper/cmd/skipper"}},
	}
}

func under(prefix string, names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

// Key is the hash of everything that decides what the programs are.
func (s Set) Key(root string) (string, error) {
	files := []string{filepath.Join(root, s.Dir, "go.mod"), filepath.Join(root, s.Dir, "go.sum")}
	parts := []string{s.Ldflags, runtime.GOARCH}
	for _, p := range s.Packages {
		parts = append(parts, p)
		sources, err := filepath.Glob(filepath.Join(root, s.Dir, p, "*.go"))
		if err != nil {
			return "", fmt.Errorf("listing the sources of %s: %w", p, err)
		}
		sort.Strings(sources)
		files = append(files, sources...)
	}
	sources, err := cache.FileKey(files...)
	if err != nil {
		return "", err
	}
	return cache.Key(append(parts, sources)...), nil
}

// Programs maps a set's name to the folder its programs are in.
type Programs map[string]string

// Path is the file of a program.
func (p Programs) Path(set, program string) string { return filepath.Join(p[set], program) }

// All builds what is not in the cache. root is the folder of the tool's module.
func All(ctx context.Context, c cache.Cache, root string, say func(string, ...any)) (Programs, error) {
	var names []string
	for _, s := range Sets() {
		names = append(names, s.Name)
	}
	return Some(ctx, c, root, say, names...)
}

// Some builds the sets of these names, unless they are in the cache, and no other.
func Some(ctx context.Context, c cache.Cache, root string, say func(string, ...any), names ...string) (Programs, error) {
	unlock, err := c.Lock("build") // two builds would fight for the processors, and for the scratch cache
	if err != nil {
		return nil, err
	}
	defer unlock()
	scratch := newScratch()
	defer scratch.remove()
	out := Programs{}
	for _, s := range Sets() {
		if !slices.Contains(names, s.Name) {
			continue
		}
		key, err := s.Key(root)
		if err != nil {
			return nil, err
		}
		dir, err := c.Ensure("bin-"+s.Name, key, func(dir string) error {
			say("building %s", s.Note)
			return s.build(ctx, root, dir, scratch)
		})
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", s.Name, err)
		}
		out[s.Name] = dir
	}
	return out, nil
}

func (s Set) build(ctx context.Context, root, dir string, scratch *scratch) error {
	args := append([]string{"build", "-trimpath", "-ldflags", s.Ldflags, "-o", dir + "/"}, s.Packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(root, s.Dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOOS=linux")
	cmd.Env = append(cmd.Env, scratch.env()...)
	_, err := host.Run(host.Tied(cmd))
	return err
}
