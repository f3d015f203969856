//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// terminal is a real one, with a program in it and a person's hands on the keyboard.
type terminal struct {
	l      *lab
	keys   *os.File
	cmd    *exec.Cmd
	ended  chan struct{}
	mu     sync.Mutex
	screen bytes.Buffer
}

// terminal starts a program in one of 100 columns and 30 lines.
func (l *lab) terminal(name string, args ...string) *terminal {
	l.Helper()
	t := &terminal{l: l, cmd: l.command(name, args...), ended: make(chan struct{})}
	t.cmd.Env = append(t.cmd.Env, "TERM=xterm-256color", "NO_COLOR=", "PS1=$ ")
	var err error
	t.keys, err = pty.StartWithSize(t.cmd, &pty.Winsize{Rows: 30, Cols: 100})
	l.must(err)
	go func() {
		defer close(t.ended)
		some := make([]byte, 4096)
		for {
			n, err := t.keys.Read(some)
			t.mu.Lock()
			t.screen.Write(some[:n])
			t.mu.Unlock()
			if err != nil { // the program has closed its end
				return
			}
		}
	}()
	l.Cleanup(func() { t.keys.Close(); _ = t.cmd.Process.Kill() })
	return t
}

// types sends keys.
func (t *terminal) types(keys string) {
	t.l.Helper()
	_, err := t.keys.WriteString(keys)
	t.l.must(err)
}

// sent is all that the program has sent to the terminal.
func (t *terminal) sent() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.String()
}

// shows waits until the program has sent what fits the pattern, colours left out.
func (t *terminal) shows(pattern string) {
	t.l.Helper()
	want := regexp.MustCompile("(?s)" + pattern)
	t.l.eventually(soon, func(context.Context) string {
		if got := colours.ReplaceAllString(t.sent(), ""); !want.MatchString(got) {
			return fmt.Sprintf("the terminal does not show %q:\n%q", pattern, got)
		}
		return ""
	})
}

var colours = regexp.MustCompile("\x1b\\[[0-9]*m")

// exits waits for the program's end, and returns its exit code.
func (t *terminal) exits() int {
	t.l.Helper()
	select {
	case <-t.ended:
	case <-time.After(soon):
		t.l.Fatalf("the program does not end:\n%q", t.sent())
	}
	var exit *exec.ExitError
	if err := t.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.l.Fatal(err)
	}
	return t.cmd.ProcessState.ExitCode()
}

// A rollout is drawn in place on a terminal. Ctrl-C ends the watching, not the rollout.
func TestATerminalShowsARolloutInPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), product("shop", group("backend", l.slow("db")), group("frontend", l.service("web", "page"))))
	up := []string{"env", "up", "shop", "-n", l.name, "--product", "shop", "--class", l.name, "--service-account", account}
	first := l.terminal("spock", up...)
	first.shows(`0 of 2 services ready\r\n.*0/1 backend\r\n.*▷ db .*0/1 frontend\r\n +◎ web waits for db\r\n`)
	first.types("\x03")
	first.shows(`\x1b\[[0-9]+A\r\x1b\[Jinterrupted: stop following `)
	if code := first.exits(); code != 130 {
		t.Errorf("interrupted it exits with %d", code)
	}
	l.reaches("shop", v1alpha1.PhaseReady, 1)

	second := l.terminal("spock", append(up, "--param", "greeting=hi")...)
	if code := second.exits(); code != 0 {
		t.Errorf("it exits with %d", code)
	}
	second.shows(`✔ backend/db ready in .*✔ frontend/web ready in .*GROUP +SERVICE +STATE.*web +Ready.*environment ` + l.name + `/shop is Ready`)
	if !strings.Contains(second.sent(), "\x1b[32m✔\x1b[0m") {
		t.Errorf("nothing is green:\n%q", second.sent())
	}
}

// completion is what makes bash complete.
const completion = "/usr/share/bash-completion/bash_completion"

// A person's bash completes commands, and the names that the cluster has.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(completion); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("bash does not complete anything here: there is no %s; install the package bash-completion", completion)
	}
	l := newLab(t)
	l.create(page(), product("shop", group("all", l.service("web", "page"))), l.environment("bookshop", "shop"))
	shell := l.terminal("bash", "--norc", "-i")
	shell.types("source " + completion + "; source <(spock completion bash); echo pre''pared\n")
	shell.shows("prepared")
	shell.types("spock env expl\t")
	shell.shows(`spock env explain `)
	shell.types("-n " + l.name + " boo\t")
	shell.shows(`spock env explain -n ` + l.name + ` bookshop `)
}
