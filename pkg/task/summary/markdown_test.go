package summary

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/task/record"
)

func TestTellingPeople(t *testing.T) {
	t.Parallel()
	failed := []Status{{"clone", "Succeeded"}, {"build", "Succeeded"}, {"unit-test", "Failed"}, {"deploy", "None"}}
	good := []Status{{"clone", "Succeeded"}, {"build", "Succeeded"}, {"deploy", "Succeeded"}}
	deployed := append(records()[:2], did("deploy", 80, 95, func(r *record.Record) {
		r.Environment, r.Phase, r.URL = "team-a/shop", "Ready", "http://web.shop.example.com"
		r.Services = []string{"db=r.example.com/postgres@sha256:03", "orders=r.example.com/orders@sha256:01", "web=r.example.com/web@sha256:02"}
	}))
	link := "https://ci.example.com/runs/1"
	for name, got := range map[string]string{
		"failed.md":     Markdown("commit-to-environment", link, failed, records()),
		"succeeded.md":  Markdown("commit-to-environment", link, good, deployed),
		"failed-plain":  Plain("commit-to-environment", link, failed, records()),
		"nothing-plain": Plain("commit-to-environment", "", failed, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", strings.TrimSuffix(name, ".md")+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
			}
		})
	}
}

func TestNothingFromOutsideBecomesMarkup(t *testing.T) {
	t.Parallel()
	evil := "x | y\n@everyone <img src=x> [a](http://evil) ```\n# boo `"
	r := did("deploy", 0, 1, func(r *record.Record) {
		r.Environment, r.Phase, r.URL, r.Error = evil, evil, "javascript:alert(1)", evil
		r.Tests = &record.Tests{Failures: []string{evil}}
	})
	got := Markdown(evil, "https://a b", []Status{{Task: "deploy", State: evil}}, []record.Record{r})
	inFence := ""
	for _, line := range strings.Split(got, "\n") {
		if ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]; len(ticks) > 3 {
			inFence = map[bool]string{true: "", false: ticks}[inFence == ticks]
			continue
		}
		if inFence != "" {
			continue
		}
		if plain := spans(line); strings.ContainsAny(plain, "@<[") || strings.Contains(plain, "javascript") {
			t.Errorf("a line becomes markup: %s", line)
		}
	}
	if inFence != "" {
		t.Error("a block does not end")
	}
}

// spans drops the code spans that quote makes of a text with three backticks in it.
func spans(line string) string {
	parts := strings.Split(line, "````")
	var out strings.Builder
	for i := 0; i < len(parts); i += 2 {
		out.WriteString(parts[i])
	}
	return out.String()
}

func TestTheCommitIsTheOneThatWasCloned(t *testing.T) {
	t.Parallel()
	cloned, other := strings.Repeat("a", 40), strings.Repeat("b", 40)
	with := []record.Record{{Task: "build"}, {Task: "clone", Commit: cloned}}
	for name, tt := range map[string]struct {
		records     []record.Record
		given, want string
	}{
		"a branch was cloned":     {with, "main", cloned},
		"a commit was cloned":     {with, cloned, cloned},
		"what was cloned counts":  {with, other, cloned},
		"nothing was cloned yet":  {nil, other, other},
		"a branch says no commit": {nil, "main", ""},
		"nothing says nothing":    {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Commit(tt.records, tt.given); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWellIsWhenAllWentWell(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		states []string
		want   bool
	}{
		"all succeeded":    {[]string{"Succeeded", "Completed"}, true},
		"one failed":       {[]string{"Succeeded", "Failed"}, false},
		"one was not run":  {[]string{"Succeeded", "None"}, false},
		"one is under way": {[]string{"pending"}, false},
		"there is none":    {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []Status
			for _, s := range tt.states {
				all = append(all, Status{Task: "x", State: s})
			}
			if got := Well(all); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
