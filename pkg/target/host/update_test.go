//go:build hosts

package host

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"spock.dev/spock/pkg/unit"
)

// read is when systemd has last read all its units.
const read = "systemctl show --property=UnitsLoadTimestampMonotonic"

// updates puts one revision of web after the other, and waits until each runs.
type updates struct {
	c *Conn
	w *watching
	n int
}

// to puts the next one, and returns what its process is.
func (u *updates) to(t *testing.T, s *Service) (command string) {
	t.Helper()
	u.n++
	hash := number(int64(u.n))
	s.Record.Annotations["spock.dev/hash"] = hash
	before := ask(t, u.c, "systemctl show --property=InvocationID --value spock-web")
	put(t, u.c, s)
	u.w.until(t, s.Revision+" runs", func(m map[string]Told) bool {
		web := m["web"]
		if web.Record.Annotations["spock.dev/hash"] == hash && web.Unit.State() == Stopped {
			t.Errorf("%s is seen to be stopped: %+v", s.Revision, web.Unit)
		}
		return web.Record.Annotations["spock.dev/hash"] == hash && web.Unit.State() == Running && !web.Unit.Edited && web.Unit.Invocation != before
	})
	if stale := ask(t, u.c, "systemctl show --property=NeedDaemonReload --value spock-web"); stale != "no" {
		t.Errorf("of %s systemd knows that its unit has changed: %s", s.Revision, stale)
	}
	return ask(t, u.c, "tr '\\0' ' ' < /proc/$(systemctl show --property=MainPID --value spock-web)/cmdline; cat /etc/spock/services/web/current/release; curl -s 'http://127.0.0.1:8080/read?path=/etc/extra'")
}

func TestAnUpdateHasNoUnitReadAnew(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	before := ask(t, c, leftovers)
	one, two := release(t, "1"), release(t, "2")
	bring(t, c, one)
	bring(t, c, two)
	revision := func(name string, r *Release, change func(*Service)) *Service {
		s := web(r, "web", 8080)
		s.Revision = name
		change(s)
		return s
	}
	same := func(*Service) {}
	u := &updates{c: c, w: watch(t, c)}
	u.to(t, revision("r1", one, same))
	began := ask(t, c, read)
	for _, tc := range []struct {
		what string
		to   *Service
		want string
	}{
		{"another image", revision("r2", two, same), "2<nil>"},
		{"the one before", revision("r1", one, same), "1<nil>"},
		{"the same again", revision("r1", one, same), "1<nil>"},
		{"another secret", revision("r3", one, func(s *Service) { s.Secrets[0].Value = "another" }), "1<nil>"},
		{"another variable and argument", revision("r4", one, func(s *Service) {
			s.Unit.Env = append(s.Unit.Env, unit.Variable{Name: "MORE", Value: "1"})
			s.Unit.Exec = append(s.Unit.Exec, "--more")
		}), "--more"},
		{"one that fails", revision("r5", one, same), "1<nil>"},
	} {
		if tc.what == "one that fails" {
			ask(t, c, "systemctl kill -s KILL spock-web; systemctl stop spock-web")
		}
		if got := u.to(t, tc.to); !strings.Contains(got, tc.want) {
			t.Errorf("%s: it runs %q, want %q in it", tc.what, got, tc.want)
		}
		if now := ask(t, c, read); now != began {
			t.Errorf("%s: all units were read anew", tc.what)
		}
	}

	// A boot starts it, by a unit that does not keep systemd from forgetting it.
	if how := ask(t, c, "systemctl stop spock-web; systemctl is-enabled spock.service; systemctl start spock.service"); how != "enabled" {
		t.Errorf("what starts all services at boot is %s", how)
	}
	u.w.until(t, "it is started as at boot", state("web", Running))

	if err := errors.Join(c.Remove(t.Context(), 1, "web", "team-a/shop:uid-1"), c.Sweep(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, c, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if now := ask(t, c, read); now != began {
		t.Error("a removal has all units read anew")
	}
}

// What systemd does not forget is read anew: a unit that another one wants, as those of earlier
// versions, one with the time of a clock that was set back, and one that is slow to stop.
func TestAUnitThatSystemdKeepsIsReadAnew(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	before := ask(t, c, leftovers)
	r := release(t, "1")
	bring(t, c, r)
	u := &updates{c: c, w: watch(t, c)}
	next := func(argument string) *Service {
		s := web(r, "web", 8080)
		s.Revision, s.Unit.Exec = argument, append(s.Unit.Exec, argument)
		if argument == "deaf" {
			s.Unit.StopSignal = "SIGWINCH" // which it does not notice
		}
		return s
	}
	u.to(t, next("first"))
	const wanted = "ln -s ../spock-web.service /etc/systemd/system/multi-user.target.wants/; systemctl daemon-reload"
	for _, tc := range []struct{ argument, first string }{
		{"wanted", wanted},
		{"later", "touch -d '1 hour' /etc/spock/services/web/current/spock-web.service; " + wanted},
		{"deaf", "true"},
		{"after", "true"},
	} {
		ask(t, c, tc.first)
		if got := u.to(t, next(tc.argument)); !strings.Contains(got, tc.argument) {
			t.Errorf("%s: it runs %q", tc.argument, got)
		}
	}
	began := ask(t, c, read)
	u.to(t, next("free"))
	if now := ask(t, c, read); now != began {
		t.Error("a unit that nothing wants any more is read with all others")
	}
	ask(t, c, wanted)
	if err := errors.Join(c.Remove(t.Context(), 1, "web", "team-a/shop:uid-1"), c.Sweep(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, c, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// A later write takes the place of one that still waits for the service to stop.
func TestTheLastOfManyWritesStays(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	r := release(t, "1")
	bring(t, c, r)
	u := &updates{c: c, w: watch(t, c)}
	next := func(argument string) *Service {
		s := web(r, "web", 8080)
		s.Revision, s.Unit.Exec, s.Unit.StopSignal = argument, append(s.Unit.Exec, argument), "SIGWINCH" // which it does not notice
		return s
	}
	u.to(t, next("first"))
	var overtaken sync.WaitGroup
	overtaken.Go(func() { _ = c.Put(t.Context(), 1, next("second")) })
	ask(t, c, "until ls -d /etc/spock/services/web/coming.* >/dev/null 2>&1; do sleep 0.02; done")
	put(t, c, next("third"))
	overtaken.Wait()
	u.w.until(t, "third runs", func(m map[string]Told) bool {
		return m["web"].Unit.State() == Running && ask(t, c, "cat /proc/$(systemctl show --property=MainPID --value spock-web)/cmdline | grep -c third || true") == "1"
	})
	if got := ask(t, c, "readlink /etc/spock/services/web/current; ls -d /etc/spock/services/web/coming.* 2>/dev/null || true"); got != "revisions/third" {
		t.Errorf("after both there is %q", got)
	}
}
