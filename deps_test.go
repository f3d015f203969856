// The tests of this package hold the house to its rules: which room may use which, what
// a pure room must not touch, and how large a file and a function may be.
package spock_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "spock.dev/spock"

// layers are the rooms from top to bottom. A room uses rooms of its own layer and below.
var layers = [][]string{
	{"cmd", "examples", "test"},
	{"pkg/reconciler", "pkg/cli", "pkg/server", "pkg/teller", "pkg/task"},
	{"pkg/deploy", "pkg/worktree"},
	{"pkg/engine"},
	{"pkg/target", "pkg/artifact", "pkg/archive"},
	{"pkg/plan", "pkg/scaffold", "pkg/progress", "pkg/history"},
	{"pkg/render", "pkg/health", "pkg/policy", "pkg/trigger"},
	{"pkg/unit", "pkg/rootfs", "pkg/placement", "pkg/source"},
	{"pkg/graph", "pkg/expr", "pkg/manifest", "pkg/diff", "pkg/nearest", "pkg/pace", "pkg/follow", "pkg/registry"},
	{"pkg/client"},
	{"pkg/apis"},
}

// pure rooms are functions of their input.
var pure = []string{"pkg/graph", "pkg/plan", "pkg/render", "pkg/health", "pkg/expr", "pkg/manifest", "pkg/diff", "pkg/nearest", "pkg/scaffold", "pkg/progress", "pkg/history", "pkg/pace", "pkg/unit", "pkg/rootfs", "pkg/placement", "pkg/trigger", "pkg/source", "pkg/source/kustomize", "pkg/source/helm"}

// impure is what a pure room must not import, itself or through another room. A path
// that ends in a slash stands for all below it.
var impure = []string{
	"net", "net/", "os", "os/", "log", "log/", "syscall", "math/rand", "math/rand/", "crypto/rand",
	"k8s.io/client-go/", "k8s.io/utils/clock", "k8s.io/utils/clock/", "k8s.io/klog/", "knative.dev/pkg/logging", "knative.dev/pkg/logging/",
	"go.uber.org/zap", "go.uber.org/zap/", module + "/pkg/client/",
}

// words of the network are no network.
const words = "net/url"

// clocks are the functions of package time that read or wait for the clock.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// leases is a room at the edge: it makes the probe that the wiring of knative asks.
const leases = "pkg/reconciler/lease"

const (
	maxFile     = 400
	maxFunction = 70
)

// room is a package of this module without its tests.
type room struct {
	dir   string
	files map[string]*ast.File // by name
	sizes map[string]int       // lines, by name
	uses  map[string]string    // imported paths, and the file of each
}

// generated rooms are not read by people.
func generated(dir string) bool { return dir == "pkg/client" || strings.HasPrefix(dir, "pkg/client/") }

// house reads all rooms.
func house(t *testing.T) (map[string]*room, *token.FileSet) {
	t.Helper()
	rooms, files := map[string]*room{}, token.NewFileSet()
	for _, top := range []string{"cmd", "examples", "pkg", "test"} {
		err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || generated(name)):
				return filepath.SkipDir
			case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			return read(rooms, files, filepath.ToSlash(name))
		})
		if err != nil {
			t.Fatalf("read the rooms of %s: %v", top, err)
		}
	}
	return rooms, files
}

func read(rooms map[string]*room, files *token.FileSet, name string) error {
	file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	r := rooms[dir]
	if r == nil {
		r = &room{dir: dir, files: map[string]*ast.File{}, sizes: map[string]int{}, uses: map[string]string{}}
		rooms[dir] = r
	}
	r.files[name], r.sizes[name] = file, files.File(file.Pos()).LineCount()
	for _, spec := range file.Imports {
		used, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, seen := r.uses[used]; !seen {
			r.uses[used] = name
		}
	}
	return nil
}

func inOrder[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// layerOf is the number of a room's layer from the top, or -1.
func layerOf(dir string) int {
	return slices.IndexFunc(layers, func(rooms []string) bool {
		return slices.ContainsFunc(rooms, func(r string) bool { return dir == r || strings.HasPrefix(dir, r+"/") })
	})
}

func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	rooms, _ := house(t)
	for _, dir := range inOrder(rooms) {
		from := layerOf(dir)
		if from < 0 {
			t.Errorf("%s stands in no layer of this test: give it one", dir)
			continue
		}
		for _, used := range inOrder(rooms[dir].uses) {
			other, ours := strings.CutPrefix(used, module+"/")
			if to := layerOf(other); ours && to < from {
				t.Errorf("%s imports %s (%s), which stands above it", dir, other, rooms[dir].uses[used])
			}
		}
	}
}

func TestPureRoomsTouchNothing(t *testing.T) {
	t.Parallel()
	rooms, files := house(t)
	for _, dir := range pure {
		if rooms[dir] == nil {
			t.Errorf("there is no room %s", dir)
			continue
		}
		for _, chain := range impurities(rooms, dir, map[string]bool{}) {
			t.Errorf("a pure room imports what is not: %s", strings.Join(append([]string{dir}, chain...), " -> "))
		}
		for _, name := range inOrder(rooms[dir].files) {
			for _, at := range readsClock(rooms[dir].files[name]) {
				t.Errorf("%s: a pure room is given the time, and does not read it", files.Position(at))
			}
		}
	}
}

// impurities are the ways from a room to something impure, through rooms of the house
// that stand above the nouns.
func impurities(rooms map[string]*room, dir string, seen map[string]bool) [][]string {
	seen[dir] = true
	var chains [][]string
	for _, used := range inOrder(rooms[dir].uses) {
		if used != words && slices.ContainsFunc(impure, func(p string) bool { return used == p || strings.HasSuffix(p, "/") && strings.HasPrefix(used, p) }) {
			chains = append(chains, []string{used + " (" + rooms[dir].uses[used] + ")"})
		}
		other, ours := strings.CutPrefix(used, module+"/")
		if !ours || seen[other] || rooms[other] == nil || strings.HasPrefix(other, "pkg/apis/") {
			continue
		}
		for _, chain := range impurities(rooms, other, seen) {
			chains = append(chains, append([]string{other}, chain...))
		}
	}
	return chains
}

func readsClock(file *ast.File) []token.Pos {
	var found []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if name, ok := selector.X.(*ast.Ident); ok && name.Name == "time" && slices.Contains(clocks, selector.Sel.Name) {
			found = append(found, selector.Pos())
		}
		return true
	})
	return found
}

// What a controller is wired from stays at its edge, so that the rest can be tested
// without it.
func TestInjectionStaysAtTheEdge(t *testing.T) {
	t.Parallel()
	rooms, _ := house(t)
	for _, dir := range inOrder(rooms) {
		for _, name := range inOrder(rooms[dir].files) {
			if base := path.Base(name); base == "controller.go" || base == "main.go" || dir == leases {
				continue
			}
			for _, spec := range rooms[dir].files[name].Imports {
				if used := strings.Trim(spec.Path.Value, `"`); strings.Contains(used+"/", "/injection/") {
					t.Errorf("%s imports %s: only controller.go and main.go may", name, used)
				}
			}
		}
	}
}

func TestEveryRoomSaysWhatItIs(t *testing.T) {
	t.Parallel()
	rooms, _ := house(t)
	for _, dir := range inOrder(rooms) {
		var said []string
		for _, name := range inOrder(rooms[dir].files) {
			file := rooms[dir].files[name]
			if file.Doc == nil || strings.TrimSpace(file.Doc.Text()) == "" {
				continue
			}
			said = append(said, name)
			if start := "Package " + file.Name.Name + " "; file.Name.Name != "main" && !strings.HasPrefix(file.Doc.Text(), start) {
				t.Errorf("%s: the package comment does not begin with %q", name, start)
			}
		}
		if len(said) != 1 {
			t.Errorf("%s has %d package comments, want one: %v", dir, len(said), said)
		}
	}
}

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	t.Parallel()
	rooms, files := house(t)
	for _, dir := range inOrder(rooms) {
		for _, name := range inOrder(rooms[dir].files) {
			file := rooms[dir].files[name]
			if ast.IsGenerated(file) {
				continue
			}
			if n := rooms[dir].sizes[name]; n > maxFile {
				t.Errorf("%s has %d lines, more than %d", name, n, maxFile)
			}
			for _, declaration := range file.Decls {
				f, ok := declaration.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; n > maxFunction {
					t.Errorf("%s: function %s has %d lines, more than %d", files.Position(f.Pos()), f.Name.Name, n, maxFunction)
				}
			}
		}
	}
}

// The chain of imports is what tells where to cut.
func TestAnImpurityIsToldWithItsChain(t *testing.T) {
	t.Parallel()
	rooms := map[string]*room{
		"pkg/plan":   {dir: "pkg/plan", uses: map[string]string{module + "/pkg/render": "pkg/plan/a.go", "time": "pkg/plan/a.go"}},
		"pkg/render": {dir: "pkg/render", uses: map[string]string{module + "/pkg/expr": "pkg/render/b.go"}},
		"pkg/expr":   {dir: "pkg/expr", uses: map[string]string{"net/http": "pkg/expr/c.go", "k8s.io/client-go/rest": "pkg/expr/d.go"}},
	}
	want := [][]string{
		{"pkg/render", "pkg/expr", "k8s.io/client-go/rest (pkg/expr/d.go)"},
		{"pkg/render", "pkg/expr", "net/http (pkg/expr/c.go)"},
	}
	if diff := cmp.Diff(want, impurities(rooms, "pkg/plan", map[string]bool{})); diff != "" {
		t.Errorf("impurities (-want +got):\n%s", diff)
	}
}
