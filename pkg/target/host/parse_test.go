package host

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFailureHasItsClass(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code   int
		stderr string
		want   Class
	}{
		"a full disk":                {1, "tar: usr/lib/x: Cannot write: No space left on device", DiskFull},
		"a full quota":               {1, "cat: write error: Disk quota exceeded", DiskFull},
		"a user who may not be root": {1, "sudo: a password is required", NotPrepared},
		"a missing tool":             {64, "missing: flock", NotPrepared},
		"an older epoch":             {65, "epoch 3 is older than 4", Fenced},
		"another's service":          {66, "it belongs to b", Foreign},
		"a taken port":               {67, "port 80", PortTaken},
		"anything else":              {2, "sh: syntax error", Broken},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := classify("db1", tc.code, tc.stderr)
			if f.Class != tc.want || !strings.Contains(f.Error(), tc.stderr) || ClassOf(fmt.Errorf("deploy: %w", f)) != tc.want {
				t.Errorf("classify() = %s: %v, want %s", f.Class, f, tc.want)
			}
			if f.Class != Broken && f.Class.Hint() == "" {
				t.Errorf("%s has no next step", f.Class)
			}
		})
	}
	if got := ClassOf(errors.New("another")); got != "" {
		t.Errorf("ClassOf() = %q", got)
	}
}

func TestWhatAMachineSaysStaysOneShortLine(t *testing.T) {
	t.Parallel()
	got := lastLines(strings.Repeat("x", 1000) + "\x1b[31m\nthe end\xff\n")
	if len(got) > 420 || strings.ContainsAny(got, "\n\x1b") || !strings.HasSuffix(got, "the end?") {
		t.Errorf("lastLines() = %q", got)
	}
}

func TestAUnitIsJudged(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		unit  Unit
		state State
		why   string
	}{
		"runs":                      {Unit{Active: "active", Sub: "running", Result: "success"}, Running, "it was stopped"},
		"starts":                    {Unit{Active: "activating", Sub: "start-post", Result: "success"}, Starting, "the process ended by itself"},
		"starts again once":         {Unit{Active: "activating", Sub: "auto-restart", Result: "exit-code", Restarts: 1, Status: 3}, Starting, "the process ended with exit code 3, 2 times"},
		"is to be started again":    {Unit{Active: "active", Sub: "running", Job: true}, Starting, "it was stopped"},
		"crashes on":                {Unit{Active: "activating", Sub: "start-post", Job: true, Restarts: 2, Result: "exit-code", Status: 1}, Failed, "the process ended with exit code 1, 3 times"},
		"crashes":                   {Unit{Active: "activating", Sub: "auto-restart", Result: "exit-code", Restarts: 2, Status: 3}, Failed, "the process ended with exit code 3, 3 times"},
		"starts after a crash":      {Unit{Active: "activating", Sub: "start", Result: "success", Job: true, Restarts: 2}, Starting, "the process ended by itself, 3 times"},
		"was killed":                {Unit{Active: "failed", Result: "signal", Status: 11}, Failed, "the process was killed by signal 11"},
		"used too much memory":      {Unit{Active: "failed", Result: "oom-kill"}, Failed, "the process used more memory than its limit and was killed"},
		"was late":                  {Unit{Active: "failed", Result: "timeout"}, Failed, "it was not ready in time and was stopped"},
		"was given up":              {Unit{Active: "failed", Result: "start-limit-hit"}, Failed, "it was started too often in a short time and was given up"},
		"was stopped by hand":       {Unit{Active: "inactive", Result: "success"}, Stopped, "it was stopped"},
		"fails in a way of its own": {Unit{Active: "failed", Result: "resources"}, Failed, "systemd says resources"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if state, why := tc.unit.State(), tc.unit.Why(); state != tc.state || why != tc.why {
				t.Errorf("%s: %q, want %s: %q", state, why, tc.state, tc.why)
			}
		})
	}
}

func TestACrashIsNotForgottenByTheNextStart(t *testing.T) {
	t.Parallel()
	crashed := Unit{Active: "activating", Sub: "auto-restart", Result: "exit-code", Status: 3, Restarts: 2}
	next := Unit{Active: "activating", Sub: "start", Result: "success", Restarts: 3, Job: true}
	if got := next.after(crashed); got.State() != Failed || got.Status != 3 {
		t.Errorf("after a crash it is %s: %+v", got.State(), got)
	}
	runs := Unit{Active: "active", Result: "success", Restarts: 3}
	for name, got := range map[string]Unit{"it runs": runs.after(crashed), "it ran": next.after(runs), "it is new": next.after(Unit{})} {
		if got.State() == Failed {
			t.Errorf("%s, and it is %+v", name, got)
		}
	}
}

const answered = `service web
record {"name":"web","uid":"u1","annotations":{"spock.dev/hash":"h"}}
ActiveState=active
SubState=running
NRestarts=4
ExecMainStatus=15
InvocationID=abc
service db
record {broken
ActiveState=failed
Result=exit-code
end
end
service half
`

func TestAnswersOfAMachineAreRead(t *testing.T) {
	t.Parallel()
	var got []map[string]Told
	if err := listen(strings.NewReader(answered), func(m map[string]Told) { got = append(got, m) }); err != nil {
		t.Fatal(err)
	}
	want := []map[string]Told{{
		"web": {Record: Record{Name: "web", UID: "u1", Annotations: map[string]string{"spock.dev/hash": "h"}}, Unit: Unit{Active: "active", Sub: "running", Restarts: 4, Status: 15, Invocation: "abc"}},
		"db":  {Unit: Unit{Active: "failed", Result: "exit-code"}},
	}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	have := parseHave("release r\npiece a\npartial b 12\npartial c -1\npartial d x\nnonsense\n")
	if diff := cmp.Diff(there{release: true, pieces: map[string]bool{"a": true}, partial: map[string]int64{"b": 12}}, have, cmp.AllowUnexported(there{})); diff != "" {
		t.Errorf("have (-want +got):\n%s", diff)
	}
	facts := parseFacts("os=Debian GNU/Linux 12\narch=x86_64\nsystemd=252\ncpus=4\nmemoryKiB=99\ndiskKiB=-1\ndiskFreeKiB=many\n")
	if diff := cmp.Diff(Facts{OS: "Debian GNU/Linux 12", Arch: "x86_64", Systemd: 252, CPUs: 4, MemoryKiB: 99}, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if got := facts.architecture(); got != "amd64" {
		t.Errorf("architecture() = %q", got)
	}
}

// FuzzAnything a machine says is read without harm: it is bounded, and no number is
// negative. It does not check that sense is made of it.
func FuzzAnything(f *testing.F) {
	f.Add(answered)
	f.Add("release r\npartial b 12\nos=x\ncpus=4\n")
	f.Fuzz(func(t *testing.T, said string) {
		_ = listen(strings.NewReader(said), func(m map[string]Told) {
			for _, told := range m {
				_, _ = told.Unit.State(), told.Unit.Why()
			}
		})
		for piece, n := range parseHave(said).partial {
			if n < 0 {
				t.Errorf("%d bytes of %q", n, piece)
			}
		}
		if facts := parseFacts(said); facts.CPUs < 0 || facts.MemoryKiB < 0 || len(facts.OS) > 1000 {
			t.Errorf("facts %+v", facts)
		}
		if line := classify("h", 1, said).Error(); strings.Contains(line, "\n") || len(line) > 600 {
			t.Errorf("a failure of %d bytes", len(line))
		}
	})
}

// Whatever an argument holds, a shell reads it as one word.
func TestArgumentsAreQuoted(t *testing.T) {
	t.Parallel()
	c := &Conn{login: Login{User: "root"}}
	args := []string{"", "a b", "it's", `"$HOME"`, "a\nb", "`id`", "--", "\\"}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", c.command(`printf '%s|' "$@"`, args)).Output()
	if want := strings.Join(args, "|") + "|"; err != nil || string(out) != want {
		t.Errorf("a shell reads %q, %v, want %q", out, err, want)
	}
	if got := (&Conn{login: Login{User: "deploy"}}).command("x", nil); got != "sudo -n sh -c 'x' spock" {
		t.Errorf("as another user: %q", got)
	}
}

func TestALoginTellsNoSecret(t *testing.T) {
	t.Parallel()
	l := Login{Name: "db1", Address: "198.51.100.1:22", User: "root", Key: []byte("hush")}
	_, err := Dial(t.Context(), l)
	l.HostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVMHW/ejTfEcEqLw6enIwaQnb6ya7gxLx3N3Qzwt7bf"
	_, second := Dial(t.Context(), l)
	for _, text := range []string{fmt.Sprint(l), fmt.Sprintf("%+v", l), err.Error(), second.Error()} {
		if strings.Contains(text, "hush") {
			t.Errorf("it tells %q", text)
		}
	}
	if print, err := Fingerprint(l.HostKey); err != nil || !strings.HasPrefix(print, "SHA256:") {
		t.Errorf("Fingerprint() = %q, %v", print, err)
	}
	for _, bad := range []string{"", "ssh-ed25519", l.HostKey + "\n" + l.HostKey, "hush"} {
		if _, err := Fingerprint(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestWhatIsThereAlreadyIsNotPassedOn(t *testing.T) {
	t.Parallel()
	for offset := range int64(12) {
		var out bytes.Buffer
		c := &counted{hash: nothing{}, from: offset, to: &out, sent: func(int64) {}}
		for _, part := range []string{"012", "", "3456", "789"} {
			_, _ = c.Write([]byte(part))
		}
		if want := "0123456789"[min(10, offset):]; out.String() != want {
			t.Errorf("behind %d: %q, want %q", offset, out.String(), want)
		}
	}
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Sum(b []byte) []byte         { return b }
func (nothing) Reset()                      {}
func (nothing) Size() int                   { return 0 }
func (nothing) BlockSize() int              { return 1 }

func TestOutputIsHandedOverInLines(t *testing.T) {
	t.Parallel()
	var got []string
	s := &splitter{line: func(line string) { got = append(got, line) }}
	for _, part := range []string{"one\ntw", "o\r\n", "\nthr", "ee"} {
		if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	s.flush()
	if diff := cmp.Diff([]string{"one", "two", "", "three"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
