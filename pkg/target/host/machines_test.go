//go:build hosts

package host

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"spock.dev/spock/pkg/unit"
)

// The tests of this file boot machines: a systemd and an sshd in namespaces of their own.
// They need root.

// patience is how long a machine may take to do what it is asked.
const patience = 30 * time.Second

var tools struct {
	machine, app string
}

func TestMain(m *testing.M) { os.Exit(prepared(m)) }

func prepared(m *testing.M) int {
	dir, err := os.MkdirTemp("", "spock-hosts-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	tools.machine, tools.app = filepath.Join(dir, "machine"), filepath.Join(dir, "app")
	for _, b := range []struct{ in, what, to string }{{"../../../hack/cluster", "./cmd/machine", tools.machine}, {".", "./testdata/app", tools.app}} {
		cmd := exec.Command("go", "build", "-o", b.to, b.what)
		cmd.Dir, cmd.Env = b.in, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", b.what, err, out)
			return 1
		}
	}
	return m.Run()
}

// box is a machine that runs.
type box struct {
	Name, Address, HostKey, Key, Link string
	Pid, Number                       int
	disk                              int    // in MB
	offers                            string // packages that its apt installs
}

// boot starts a machine, which ends with the test.
func boot(t *testing.T) *box { return bootWith(t, 256, "") }

// bootWith starts one with a disk of some MB, whose apt installs some packages.
func bootWith(t *testing.T, disk int, offers string) *box {
	t.Helper()
	b := &box{disk: disk, offers: offers} // without a number it gets one that nobody has
	b.up(t)
	t.Cleanup(func() {
		if out, err := exec.Command(tools.machine, "down", "-number", strconv.Itoa(b.Number)).CombinedOutput(); err != nil {
			t.Errorf("end %s: %v\n%s", b.Name, err, out)
		}
	})
	return b
}

func (b *box) up(t *testing.T) {
	t.Helper()
	cmd := exec.Command(tools.machine, "up", "-number", strconv.Itoa(b.Number), "-disk", strconv.Itoa(b.disk), "-offers", b.offers)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("boot a machine: %v\n%s", err, problems.String())
	}
	if err := json.Unmarshal(out, b); err != nil {
		t.Fatal(err)
	}
}

// cut cuts its power; up boots it with an empty disk and the keys it had.
func (b *box) cut(t *testing.T) {
	t.Helper()
	if out, err := exec.Command(tools.machine, "cut", "-number", strconv.Itoa(b.Number)).CombinedOutput(); err != nil {
		t.Fatalf("cut the power of %s: %v\n%s", b.Name, err, out)
	}
}

func (b *box) cable(t *testing.T, state string) {
	t.Helper()
	if out, err := exec.Command("ip", "link", "set", b.Link, state).CombinedOutput(); err != nil {
		t.Fatalf("set the cable of %s %s: %v\n%s", b.Name, state, err, out)
	}
}

func (b *box) login(t *testing.T, user string) Login {
	t.Helper()
	key, err := os.ReadFile(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	return Login{Name: b.Name, Address: b.Address + ":22", User: user, HostKey: b.HostKey, Key: key}
}

func dial(t *testing.T, login Login) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask runs a command of the test's own.
func ask(t *testing.T, c *Conn, command string) string {
	t.Helper()
	out, err := c.Run(t.Context(), command, nil)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(out)
}

// image has the test's program on a base layer with much in it.
func image(t *testing.T, extra string) v1.Image {
	t.Helper()
	program, err := os.ReadFile(tools.app)
	if err != nil {
		t.Fatal(err)
	}
	noise := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
	made, err := mutate.AppendLayers(empty.Image,
		testLayer(t, map[string][]byte{"etc/passwd": []byte("root:x:0:0::/:\napp:x:4711:4711::/:\n"), "usr/share/noise": noise}),
		testLayer(t, map[string][]byte{"app": program, "etc/extra": []byte(extra)}))
	if err != nil {
		t.Fatal(err)
	}
	made, err = mutate.Config(made, v1.Config{User: "app", Entrypoint: []string{"/app"}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func testLayer(t *testing.T, files map[string][]byte) v1.Layer {
	t.Helper()
	var raw bytes.Buffer
	archive := tar.NewWriter(&raw)
	for _, name := range sorted(files) {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o4755, Uid: 4711, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		_, _ = archive.Write(files[name])
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func release(t *testing.T, extra string) *Release {
	t.Helper()
	r, err := NewRelease(image(t, extra))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// web is a service that listens.
func web(r *Release, id string, port int32) *Service {
	return &Service{
		ID: id, Owner: "team-a/shop:uid-1", Revision: "r1", Release: r,
		Unit: unit.Service{
			Description: id, Exec: []string{"/app", "--greet=it's me"}, Ports: []int32{port}, Start: 20 * time.Second, Stop: 5 * time.Second,
			Env:   []unit.Variable{{Name: "PORT", Value: fmt.Sprint(port)}},
			State: []unit.State{{Name: "spock-" + id + "/data", Path: "/data"}},
		},
		Ready:   []string{"0", "http", fmt.Sprint(port), "/ready"},
		Secrets: []unit.Variable{{Name: "PASSWORD", Value: "hush \"%n\" $HOME"}},
		Files:   map[string]string{"/etc/app.conf": "level=info\n"},
		Record:  Record{Name: id, UID: "uid-of-" + id, Annotations: map[string]string{"spock.dev/hash": "h1"}},
	}
}

// watching follows a machine and waits for what it tells.
type watching struct {
	answers chan map[string]Told
	ended   chan error
}

func watch(t *testing.T, c *Conn) *watching {
	w := &watching{answers: make(chan map[string]Told, 100), ended: make(chan error, 1)}
	go func() {
		w.ended <- c.Watch(t.Context(), func(m map[string]Told) {
			select {
			case w.answers <- m:
			default:
			}
		})
	}()
	return w
}

func (w *watching) until(t *testing.T, what string, is func(map[string]Told) bool) map[string]Told {
	t.Helper()
	late := time.After(patience)
	var last map[string]Told
	for {
		select {
		case last = <-w.answers:
			if is(last) {
				return last
			}
		case err := <-w.ended:
			t.Fatalf("the watch ended before %s: %v", what, err)
		case <-late:
			t.Fatalf("not seen in %s: %s; last seen %+v", patience, what, last)
		}
	}
}

func state(id string, want State) func(map[string]Told) bool {
	return func(m map[string]Told) bool { return m[id].Unit.State() == want }
}

func bring(t *testing.T, c *Conn, r *Release) (sent int64) {
	t.Helper()
	if err := c.Bring(t.Context(), 1, r, func(int64) { sent++ }); err != nil {
		t.Fatalf("bring a release: %v", err)
	}
	return sent
}

func put(t *testing.T, c *Conn, s *Service) {
	t.Helper()
	if err := c.Put(t.Context(), 1, s); err != nil {
		t.Fatalf("put %s: %v", s.ID, err)
	}
}

func TestAMachineIsKnownByItsKey(t *testing.T) {
	b := boot(t)
	login := b.login(t, "root")
	if facts, err := dial(t, login).Facts(t.Context()); err != nil || facts.Systemd < 247 || facts.CPUs == 0 || facts.MemoryKiB == 0 || facts.DiskFreeKiB == 0 || facts.OS == "" {
		t.Errorf("Facts() = %+v, %v", facts, err)
	}
	if key, err := KeyOf(t.Context(), login.Address); err != nil || key != b.HostKey {
		t.Errorf("KeyOf() = %q, %v, want %q", key, err, b.HostKey)
	}
	other := boot(t)
	for name, tc := range map[string]struct {
		change func(*Login)
		want   Class
	}{
		"another machine answers":      {func(l *Login) { l.Address = other.Address + ":22" }, KeyChanged},
		"a key that it does not know":  {func(l *Login) { l.Key, _ = os.ReadFile(other.Key) }, AuthRefused},
		"a user that it does not know": {func(l *Login) { l.User = "nobody" }, AuthRefused},
		"nobody listens":               {func(l *Login) { l.Address = b.Address + ":23" }, Unreachable},
	} {
		l := login
		tc.change(&l)
		if _, err := Dial(t.Context(), l); ClassOf(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

func TestAServiceRunsOnAMachine(t *testing.T) {
	b := boot(t)
	for _, user := range []string{"root", "deploy"} {
		t.Run("as "+user, func(t *testing.T) { runs(t, dial(t, b.login(t, user)), b) })
	}
}

func runs(t *testing.T, c *Conn, b *box) {
	w := watch(t, c)
	before := ask(t, c, leftovers)
	r := release(t, "1")
	if bring(t, c, r) == 0 {
		t.Error("a release came without being sent")
	}
	put(t, c, web(r, "web", 8080))
	seen := w.until(t, "web runs", state("web", Running))["web"]
	if seen.Record.UID != "uid-of-web" || seen.Record.Annotations["spock.dev/hash"] != "h1" {
		t.Errorf("the record is %+v", seen.Record)
	}
	get := func(path string) string { return ask(t, c, "curl -s 'http://127.0.0.1:8080"+path+"'") }
	for path, want := range map[string]string{
		"/env?name=PASSWORD":       "hush \"%n\" $HOME",
		"/read?path=/etc/app.conf": "level=info\n<nil>",
		"/read?path=/etc/extra":    "1<nil>",
		"/name":                    "app<nil>",
		"/write?path=/data/x":      "<nil>",
		"/write?path=/tmp/x":       "<nil>",
	} {
		if got := get(path); got != want {
			t.Errorf("%s gives %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/write?path=/etc/x", "/write?path=/app", "/read?path=/etc/shadow", "/read?path=/var/lib/spock/releases", "/read?path=/etc/spock/services/web/current/env"} {
		if got := get(path); strings.HasSuffix(got, "<nil>") {
			t.Errorf("%s is allowed: %q", path, got)
		}
	}
	if uid, err := strconv.Atoi(get("/who")); err != nil || uid < 1000 {
		t.Errorf("it runs as user %d, %v", uid, err)
	}
	for _, command := range []string{
		"systemctl show spock-web.service", "systemctl cat spock-web.service", "cat /proc/*/cmdline | tr '\\0' ' '", "journalctl --no-pager | cat",
		"su nobody -s /bin/sh -c 'cat /etc/spock/services/web/current/*' 2>&1 || true",
	} {
		if out := ask(t, c, command); strings.Contains(out, "hush") {
			t.Errorf("%s tells the secret: %s", command, out)
		}
	}
	if modes := ask(t, c, "stat -c '%a %U' /etc/spock/services /etc/spock/services/web/current/env /etc/spock/services/web/current/spock-web.service /var/lib/spock"); modes != "700 root\n600 root\n644 root\n700 root" {
		t.Errorf("modes are\n%s", modes)
	}
	if special := ask(t, c, "find /var/lib/spock -perm /7000 -o ! -user root"); special != "" {
		t.Errorf("special files: %s", special)
	}

	// The next release shares a layer with this one, and the old one stays.
	next := release(t, "2")
	var most int64
	if err := c.Bring(t.Context(), 1, next, func(n int64) { most = max(most, n) }); err != nil {
		t.Fatal(err)
	}
	second := web(next, "web", 8080)
	second.Revision, second.Record.Annotations["spock.dev/hash"] = "r2", "h2"
	put(t, c, second)
	w.until(t, "the next web runs", func(m map[string]Told) bool {
		return m["web"].Record.Annotations["spock.dev/hash"] == "h2" && m["web"].Unit.State() == Running && m["web"].Unit.Invocation != seen.Unit.Invocation
	})
	if got := get("/read?path=/etc/extra") + get("/read?path=/data/x"); got != "2<nil>written<nil>" {
		t.Errorf("after the switch it reads %q", got)
	}
	if links := ask(t, c, "readlink /etc/spock/services/web/current /etc/spock/services/web/previous; ls /var/lib/spock/releases | wc -l; ls /var/lib/spock/pieces | wc -l"); links != "revisions/r2\nrevisions/r1\n2\n4" {
		t.Errorf("releases and pieces are\n%s", links)
	}
	if n := bring(t, c, next); n != 0 {
		t.Errorf("what is there was sent again, in %d writes", n)
	}

	if err := errors.Join(c.Remove(t.Context(), 1, "web", "team-a/shop:uid-1"), c.Sweep(t.Context(), 1), c.Remove(t.Context(), 1, "web", "team-a/shop:uid-1")); err != nil {
		t.Fatal(err)
	}
	w.until(t, "web is gone", func(m map[string]Told) bool { return len(m) == 0 })
	if after := ask(t, c, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// leftovers lists all that Spock could leave on a machine, but for its lock and epoch.
const leftovers = `find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev -o -path /var/log -o -path /var/tmp \) -prune -o \
  \( -iname '*spock*' ! -path '/etc/spock' ! -path '/etc/ssh/*' -o -path '/etc/spock/services/*' -o -path '/app*' -o -path '/data*' -o -path '/etc/app*' -o -path '/usr/local/bin/*' \) -print | sort; systemctl list-units --all --no-legend 'spock-*'; getent passwd | wc -l`

func TestABrokenUploadGoesOnWhereItStopped(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	r := release(t, "1")
	ctx, stop := context.WithCancel(t.Context())
	err := c.Bring(ctx, 1, r, func(n int64) {
		if n > 4<<20 {
			stop()
		}
	})
	if err == nil {
		t.Fatal("the upload was not broken")
	}
	partial := ask(t, c, "stat -c %s /var/lib/spock/incoming/* | sort -n | tail -1")
	if n, err := strconv.Atoi(partial); err != nil || n < 1<<20 {
		t.Fatalf("of the broken upload %s bytes arrived", partial)
	}
	ask(t, c, "touch -d @0 /var/lib/spock/incoming; inode=$(stat -c %i /var/lib/spock/incoming/*); echo $inode")
	counted := ask(t, c, "cat /proc/net/dev | sed -n 's/^ *eth0: *\\([0-9]*\\).*/\\1/p'")
	c2 := dial(t, b.login(t, "root"))
	bring(t, c2, r)
	after := ask(t, c2, "cat /proc/net/dev | sed -n 's/^ *eth0: *\\([0-9]*\\).*/\\1/p'")
	from, _ := strconv.Atoi(counted)
	to, _ := strconv.Atoi(after)
	have, _ := strconv.Atoi(partial)
	if whole := int(r.bytes()); to-from > whole-have/2 {
		t.Errorf("%d bytes of %d were there, and %d came over the network", have, whole, to-from)
	}
	if sum := ask(t, c2, "sha256sum "+r.Root()+"/usr/share/noise | cut -c1-8; ls /var/lib/spock/incoming"); len(sum) != 8 {
		t.Errorf("after the upload: %s", sum)
	}
}

// A database from a distribution's packages, as its image is for the cluster: links in its
// tree, set-user-ID programs, a user of its own, data that it must own.
func TestADatabaseRunsOnAMachineFromTheImageOfItsPod(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	images, err := filepath.Glob(filepath.Join(cache, "spock", "cluster", "image-postgres-15", "*"))
	if err != nil || len(images) == 0 {
		t.Skip("the image postgres:15 of the local cluster is not made yet: run make cluster once")
	}
	index, err := layout.ImageIndexFromPath(images[0])
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRelease(image)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, bootWith(t, 1500, "").login(t, "root"))
	bring(t, c, r)
	j := &job{id: "db", want: unit.Instance{StartSeconds: 60, StopSeconds: 20, StopSignal: "SIGINT", Ports: []int32{5432},
		Volumes: []unit.Volume{{Name: "data", Path: "/var/lib/postgresql/data"}}}}
	s := &Service{ID: "db", Owner: "team-a/shop:uid-1", Revision: "r1", Release: r, Unit: j.unit(r), Ready: []string{"1", "tcp", "5432"},
		Secrets: []unit.Variable{{Name: "POSTGRES_PASSWORD", Value: "hush"}}}
	w := watch(t, c)
	put(t, c, s)
	w.until(t, "the database runs", state("db", Running))
	query := "chroot " + r.Root() + " /usr/lib/postgresql/15/bin/psql -At postgresql://postgres:hush@127.0.0.1/postgres -c "
	if got := ask(t, c, query+"'create table t (n int); insert into t values (42)' -c 'select n from t'"); !strings.HasSuffix(got, "42") {
		t.Errorf("the database answers %q", got)
	}
	ask(t, c, "systemctl kill -s KILL spock-db")
	w.until(t, "the database was killed", func(m map[string]Told) bool { return m["db"].Unit.Restarts > 0 })
	w.until(t, "the database runs again", state("db", Running))
	if got := ask(t, c, query+"'select n from t'"); got != "42" {
		t.Errorf("after it was killed the database answers %q", got)
	}
}

func TestWhatReleasesShareIsSentOnce(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	received := func() int {
		n, err := strconv.Atoi(ask(t, c, "cat /proc/net/dev | sed -n 's/^ *eth0: *\\([0-9]*\\).*/\\1/p'"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := received()
	var g sync.WaitGroup
	all := []*Release{release(t, "1"), release(t, "2"), release(t, "1"), release(t, "3")}
	for _, r := range all {
		g.Go(func() {
			if err := c.Bring(t.Context(), 1, r, func(int64) {}); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	// Three programs, and once what all have in common.
	most := int(3*all[0].parts[2].Bytes+all[0].parts[1].Bytes) * 105 / 100
	if got := received() - before; got > most {
		t.Errorf("%d bytes came, at most %d are needed", got, most)
	}
	if left := ask(t, c, "ls /var/lib/spock/incoming | wc -l; ls /var/lib/spock/releases | wc -l"); left != "0\n3" {
		t.Errorf("uploads and releases are\n%s", left)
	}
}

func TestWhatArrivesBrokenIsNotUsed(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	r := release(t, "1")
	ask(t, c, "mkdir -p /var/lib/spock/incoming; head -c 1000000 /dev/urandom > /var/lib/spock/incoming/"+r.parts[1].Key)
	if err := c.Bring(t.Context(), 1, r, func(int64) {}); err == nil {
		t.Fatal("a broken piece was taken")
	}
	bring(t, c, r)
}

func TestFailuresHaveTheirClass(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	w := watch(t, c)
	r := release(t, "1")
	bring(t, c, r)

	failing := web(r, "failing", 8081)
	failing.Unit.Env = append(failing.Unit.Env, unit.Variable{Name: "FAIL", Value: "no database"})
	put(t, c, failing)
	seen := w.until(t, "failing fails", state("failing", Failed))["failing"]
	if seen.Unit.Status != 3 || !strings.Contains(seen.Unit.Why(), "exit code 3") {
		t.Errorf("it failed with %+v: %s", seen.Unit, seen.Unit.Why())
	}
	if log, err := c.Journal(t.Context(), "failing", 10, ""); err != nil || !strings.Contains(log, "cannot go on: no database") {
		t.Errorf("Journal() = %q, %v", log, err)
	}
	w.until(t, "failing is given up", func(m map[string]Told) bool {
		return m["failing"].Unit.Result == "start-limit-hit" || m["failing"].Unit.Active == "failed"
	})

	asked := web(r, "asked", 8084)
	asked.Unit.Env = append(asked.Unit.Env, unit.Variable{Name: "PATH", Value: "/"})
	asked.Ready = []string{"1", "exec", "app", "--help"}
	put(t, c, asked)
	w.until(t, "asked runs", state("asked", Running))

	late := web(r, "late", 8082)
	late.Ready, late.Unit.Start = []string{"0", "exec", "/app-that-is-not-there"}, time.Second
	put(t, c, late)
	late2 := w.until(t, "late is not ready in time", func(m map[string]Told) bool { return m["late"].Unit.Result == "timeout" })["late"]
	if !strings.Contains(late2.Unit.Why(), "not ready in time") {
		t.Errorf("late: %s", late2.Unit.Why())
	}

	notifying := web(r, "notifying", 8083)
	notifying.Ready, notifying.Unit.Notify = nil, true
	put(t, c, notifying)
	w.until(t, "notifying runs", state("notifying", Running))

	for name, tc := range map[string]struct {
		err  error
		want Class
	}{
		"a port that is taken": {c.Put(t.Context(), 1, web(r, "second", 8083)), PortTaken},
		"another's service":    {c.Put(t.Context(), 1, func() *Service { s := web(r, "notifying", 8083); s.Owner = "team-b/shop:uid-2"; return s }()), Foreign},
		"removing another's":   {c.Remove(t.Context(), 1, "notifying", "team-b/shop:uid-2"), Foreign},
		"a newer controller":   {c.Remove(t.Context(), 5, "failing", "team-a/shop:uid-1"), ""},
		"the older one":        {c.Put(t.Context(), 4, web(r, "notifying", 8083)), Fenced},
		"the older one sweeps": {c.Sweep(t.Context(), 4), Fenced},
		"a name that climbs":   {c.Remove(t.Context(), 5, "../../etc", "x"), NotPrepared},
		"no room on the disk":  {full(t, c, release(t, "another")), DiskFull},
	} {
		if got := ClassOf(tc.err); got != tc.want {
			t.Errorf("%s: %v, want %q", name, tc.err, tc.want)
		}
	}
}

// The journal says that something has moved, and its last line may come late.
func TestAServiceIsSeenToRunWithoutTheJournal(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	w := watch(t, c)
	r := release(t, "1")
	bring(t, c, r)
	slow := web(r, "slow", 8081)
	slow.Ready = []string{"5", "none"}
	put(t, c, slow)
	w.until(t, "slow starts", state("slow", Starting))
	if stopped := ask(t, c, "pkill -STOP -c journalctl"); stopped != "1" {
		t.Fatalf("%s processes follow the journal, want one", stopped)
	}
	w.until(t, "slow runs", state("slow", Running))
}

// full brings a release when the disk is full.
func full(t *testing.T, c *Conn, r *Release) error {
	ask(t, c, "cat /dev/zero > /var/filler 2>/dev/null || true")
	defer ask(t, c, "rm /var/filler")
	return c.Bring(t.Context(), 5, r, func(int64) {})
}

func TestACutNetworkIsNoticedInSeconds(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	w := watch(t, c)
	w.until(t, "it is watched", func(map[string]Told) bool { return true })
	began := time.Now()
	b.cable(t, "down")
	select {
	case err := <-w.ended:
		if ClassOf(err) != Unreachable || time.Since(began) > 2*answerWithin {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	case <-time.After(patience):
		t.Fatal("it was not noticed")
	}
	if _, err := Dial(t.Context(), b.login(t, "root")); ClassOf(err) != Unreachable {
		t.Errorf("Dial() = %v", err)
	}
	b.cable(t, "up")
	if _, err := dial(t, b.login(t, "root")).Facts(t.Context()); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}
