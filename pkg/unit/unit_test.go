package unit_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/unit"
)

var update = flag.Bool("update", false, "write the golden files")

func plain() unit.Service {
	return unit.Service{Description: "web of team-a/shop", Exec: []string{"/usr/bin/web"}, Start: time.Minute, Stop: 10 * time.Second}
}

func whole() unit.Service {
	return unit.Service{
		Description: "postgres of team-a/shop, 100% \\ shop", Exec: []string{"/usr/lib/postgresql/15/bin/postgres", "-c", "log_line_prefix=%m $USER", "a \"b\"\nc"},
		Env: []unit.Variable{{Name: "PGDATA", Value: "/data"}, {Name: "MOTD", Value: "it's 100% \\ \"fine\"\n$HOME"}}, EnvFile: "/var/lib/spock/services/x/current/env",
		User: "postgres", WorkDir: "/data", Root: "/var/lib/spock/releases/abc/root",
		State: []unit.State{{Name: "spock-x/data", Path: "/data"}}, Files: []unit.File{{From: "/var/lib/spock/services/x/current/files/0", Path: "/etc/postgresql.conf"}, {From: "/run/spock/x.passwd", Path: "/etc/passwd", Prepared: true}},
		Ports: []int32{5432, 80}, Limits: unit.Limits{CPU: 1500, Memory: 512 << 20, Tasks: 100, OpenFiles: 4096},
		Prepare: []string{"/bin/sh", "/etc/spock/prepare"}, Runtime: "spock-x",
		Notify: true, Ready: []string{"/bin/sh", "/var/lib/spock/ready", "tcp", "5432"}, Start: 90 * time.Second, Stop: 1500 * time.Millisecond, StopSignal: "SIGINT",
	}
}

func TestUnitsAreAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	state := plain()
	state.State = []unit.State{{Name: "spock-x/data", Path: "/data"}}
	handed, beside := plain(), plain()
	handed.Sockets, handed.Ports = "spock-x.socket", []int32{80}
	beside.Root, beside.Shared, beside.WorkDir = "/var/lib/spock/releases/abc/root", true, unit.App
	for name, s := range map[string]unit.Service{"plain": plain(), "whole": whole(), "state": state, "handed": handed, "beside": beside} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Render()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".service")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("unit (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSocketsAreAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	got, err := unit.RenderSockets("ports of web, 100%", []unit.Socket{{Port: 80}, {Port: 53, Datagram: true}})
	want := "[Unit]\nDescription=ports of web, 100%%\n\n[Socket]\nListenStream=80\nListenDatagram=53\n"
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("unit (-want +got), %v:\n%s", err, diff)
	}
	if _, err := unit.RenderSockets("two\nlines", nil); err == nil || !strings.Contains(err.Error(), "not one line") {
		t.Errorf("RenderSockets() = %v", err)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*unit.Service)
		want   string
	}{
		"no program":                           {func(s *unit.Service) { s.Exec = nil }, `program ""`},
		"a program with a prefix of systemd's": {func(s *unit.Service) { s.Exec = []string{"+/bin/sh"} }, `program "+/bin/sh"`},
		"a program with a specifier":           {func(s *unit.Service) { s.Exec = []string{"/bin/%n"} }, `program "/bin/%n"`},
		"an argument that is no text":          {func(s *unit.Service) { s.Exec = append(s.Exec, "a\x00b") }, "zero byte"},
		"a description of two lines":           {func(s *unit.Service) { s.Description = "a\nUser=root" }, "not one line"},
		"a user with a line of its own":        {func(s *unit.Service) { s.User = "a\nUser=root" }, "name"},
		"a variable that is none":              {func(s *unit.Service) { s.Env = []unit.Variable{{Name: "A B", Value: ""}} }, `variable "A B"`},
		"a root that climbs":                   {func(s *unit.Service) { s.Root = "/var/lib/spock/../../.." }, "path"},
		"a file with a colon":                  {func(s *unit.Service) { s.Files = []unit.File{{From: "/a:/etc/shadow", Path: "/b"}} }, "path"},
		"a state with a space":                 {func(s *unit.Service) { s.State = []unit.State{{Name: "a b", Path: "/b"}} }, "name"},
		"a signal that is none":                {func(s *unit.Service) { s.StopSignal = "SIGTERM KILL" }, "name"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := plain()
			tc.change(&s)
			if _, err := s.Render(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Render() = %v, want %q in it", err, tc.want)
			}
		})
	}
}

// Whatever stands in arguments and variables, the unit has the same lines.
func TestValuesAreWordsAndNeverDirectives(t *testing.T) {
	t.Parallel()
	calm, err := unit.Service{Description: "d", Exec: []string{"/bin/a", "x"}, Env: []unit.Variable{{Name: "A", Value: "x"}}}.Render()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		got, err := unit.Service{Description: "d", Exec: []string{"/bin/a", value}, Env: []unit.Variable{{Name: "A", Value: value}}}.Render()
		if err != nil {
			if !strings.ContainsRune(value, 0) {
				t.Fatalf("%q is refused: %v", value, err)
			}
			return
		}
		want, have := strings.Split(calm, "\n"), strings.Split(got, "\n")
		if len(want) != len(have) {
			t.Fatalf("%q makes %d lines of %d", value, len(have), len(want))
		}
		for i := range want {
			switch name, said, _ := strings.Cut(have[i], "="); name {
			case "ExecStart":
				if got := read(strings.TrimPrefix(said, "/bin/a "), true); got != value {
					t.Fatalf("argument %q is read as %q", value, got)
				}
			case "Environment":
				if got := read(said, false); got != "A="+value {
					t.Fatalf("variable %q is read as %q", value, got)
				}
			default:
				if want[i] != have[i] {
					t.Fatalf("%q changes %q to %q", value, want[i], have[i])
				}
			}
		}
	})
}

// read is what systemd makes of one quoted word.
func read(word string, command bool) string {
	word = strings.TrimSuffix(strings.TrimPrefix(word, `"`), `"`)
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '\\' && word[i+1] == 'x':
			hex := "0123456789abcdef"
			b.WriteByte(byte(strings.IndexByte(hex, word[i+2])<<4 | strings.IndexByte(hex, word[i+3])))
			i += 3
		case c == '\\' || c == '%' || c == '$' && command:
			i++
			b.WriteByte(word[i])
		case c == '"':
			return "an unescaped quote"
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestASecretIsNeverToldInAnError(t *testing.T) {
	t.Parallel()
	_, err := unit.EnvFile([]unit.Variable{{Name: "A", Value: "hush\x00"}})
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("EnvFile() = %v", err)
	}
	got, err := unit.EnvFile([]unit.Variable{{Name: "A", Value: "a\"b\\c$d`e\nf"}})
	if want := "A=\"a\\\"b\\\\c\\$d\\`e\nf\"\n"; err != nil || got != want {
		t.Errorf("EnvFile() = %q, %v, want %q", got, err, want)
	}
	if _, err := unit.EnvFile([]unit.Variable{{Name: "A=B", Value: ""}}); err == nil {
		t.Error("a name that is none was taken")
	}
}
