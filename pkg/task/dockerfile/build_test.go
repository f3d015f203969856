package dockerfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// fakeBuildah writes down what it is told, and answers as the cases of a shell say. Real
// buildah runs in the tests end to end.
func fakeBuildah(t *testing.T, cases string) (b Builder, calls func() []string, log *strings.Builder) {
	t.Helper()
	storage := t.TempDir()
	for name, text := range map[string]string{"answers": "case \"$*\" in\n" + cases + "\nesac\n", "pushed": digest + "\n"} {
		if err := os.WriteFile(filepath.Join(storage, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log = &strings.Builder{}
	return Builder{Program: "testdata/fake-buildah", Storage: storage, Log: log}, func() []string {
		raw, err := os.ReadFile(filepath.Join(storage, "told"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(strings.ReplaceAll(string(raw), storage, "STORAGE")), "\n")
	}, log
}

// sources is a folder with a Dockerfile, another one, and a link that leads out.
func sources(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"Dockerfile", "api/web.Dockerfile"} {
		at := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatBuildahIsTold(t *testing.T) {
	t.Parallel()
	source := sources(t)
	b, calls, _ := fakeBuildah(t, "")
	got, err := b.Run(t.Context(), Request{
		Source: source, Context: "api", File: "api/web.Dockerfile", Target: "final", Arguments: []string{"VERSION=1.0 beta"},
		Image: "registry.example.com/shop/web", Tag: "v1", Cache: "registry.example.com/cache", Created: 7, Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Image{Service: "web", Reference: "registry.example.com/shop/web@" + digest}, got); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	const own = "--storage-driver=overlay --root=STORAGE/overlay --runroot=STORAGE/run "
	want := []string{
		own + "info",
		own + "build --isolation=chroot --format=oci --tls-verify=false --timestamp=7 --layers=true --tag=localhost/built" +
			" --file=" + source + "/api/web.Dockerfile --cache-from=registry.example.com/cache --cache-to=registry.example.com/cache" +
			" --target=final --build-arg=VERSION=1.0 beta -- " + source + "/api",
		own + "push --quiet --tls-verify=false --digestfile=STORAGE/digest localhost/built docker://registry.example.com/shop/web:v1",
	}
	if diff := cmp.Diff(want, calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestWhereOverlayDoesNotWork(t *testing.T) {
	t.Parallel()
	b, calls, log := fakeBuildah(t, "*driver=overlay*info) echo kernel too old >&2; exit 125;;")
	request := Request{Source: sources(t), File: "Dockerfile", Image: "r.example.com/web", Tag: "1"}
	if _, err := b.Run(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if last := calls()[3]; !strings.HasPrefix(last, "--storage-driver=vfs --root=STORAGE/vfs ") || !strings.Contains(log.String(), "storage overlay: exit status 125: kernel too old") {
		t.Errorf("%s\n%s", last, log)
	}
}

func TestWhatABuildIsRefusedFor(t *testing.T) {
	t.Parallel()
	good := Request{File: "Dockerfile", Image: "r.example.com/web", Tag: "1"}
	for name, tt := range map[string]struct {
		change func(*Request)
		cases  string
		want   string
	}{
		"a Dockerfile elsewhere":     {change: func(r *Request) { r.File = "../Dockerfile" }, want: `dockerfile "../Dockerfile" leaves the sources; name a path below them`},
		"a Dockerfile that is /":     {change: func(r *Request) { r.File = "out" }, want: `dockerfile "out" leads out of the sources by a link`},
		"no Dockerfile":              {change: func(r *Request) { r.File = "none" }, want: `find dockerfile "none"`},
		"a context elsewhere":        {change: func(r *Request) { r.Context = ".." }, want: `context ".." leaves the sources; name a path below them`},
		"an image with a tag":        {change: func(r *Request) { r.Image = "r.example.com/web:1" }, want: "write a repository such as registry.example.com/shop/web, and a tag"},
		"a tag that is none":         {change: func(r *Request) { r.Tag = "a b" }, want: "write a repository such as registry.example.com/shop/web, and a tag"},
		"an argument without name":   {change: func(r *Request) { r.Arguments = []string{"--x"} }, want: `build argument "--x": write NAME=VALUE`},
		"a target that is an option": {change: func(r *Request) { r.Target = "-x" }, want: `target "-x" is no name of a stage`},
		"a pod without ids": {cases: "*info) echo Falling back to single mapping >&2;;",
			want: "this pod may not make a user namespace with ids of its own"},
		"a pod without user namespaces": {cases: "*info) echo 'Error during unshare(CLONE_NEWUSER): Operation not permitted' >&2; exit 1;;",
			want: "this pod may not make a user namespace with ids of its own"},
		"no storage at all":  {cases: "*info) echo no space left >&2; exit 1;;", want: "storage vfs: exit status 1: no space left"},
		"a build that fails": {cases: "*\" build \"*) echo no such stage >&2; exit 3;;", want: "build Dockerfile: exit status 3"},
		"a push that fails":  {cases: "*\" push \"*) exit 4;;", want: "push r.example.com/web:1: exit status 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, _ := fakeBuildah(t, tt.cases)
			request := good
			request.Source = sources(t)
			if tt.change != nil {
				tt.change(&request)
			}
			if _, err := b.Run(t.Context(), request); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
