package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/task/summary"
)

func report() Report {
	return Report{
		Repository: "team-a/shop", Commit: strings.Repeat("0a", 20), Context: "spock/ci", Link: "https://ci.example.com/1",
		Stages:    []summary.Status{{Task: "build", State: "Succeeded"}, {Task: "unit-test", State: "Failed"}, {Task: "deploy", State: "None"}},
		Sentences: map[string]string{"unit-test": "1 of 15 tests failed:\ncart.TestAdd"},
		Pull:      42, Comment: "It failed.",
	}
}

func TestAReportIsStatusesAndOneComment(t *testing.T) {
	t.Parallel()
	f, c := newFake(t)
	address, err := c.Tell(t.Context(), report())
	if err != nil || address != "https://github.example.com/c/1" {
		t.Fatalf("Tell: %q, %v", address, err)
	}
	want := map[string]status{
		"spock/ci/build":     {"success", "https://ci.example.com/1", "succeeded", "spock/ci/build"},
		"spock/ci/unit-test": {"failure", "https://ci.example.com/1", "1 of 15 tests failed: cart.TestAdd", "spock/ci/unit-test"},
		"spock/ci/deploy":    {"error", "https://ci.example.com/1", "not run", "spock/ci/deploy"},
	}
	if diff := cmp.Diff(want, f.statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("<!-- spock: spock/ci -->\nIt failed.", f.comments[0].Body); diff != "" {
		t.Errorf("comment (-want +got):\n%s", diff)
	}
}

func TestTheCommentIsEditedInPlace(t *testing.T) {
	t.Parallel()
	f, c := newFake(t)
	for i := range 230 { // the comment stands on the third page
		f.add(fmt.Sprintf("talk %d, which quotes <!-- spock: spock/ci -->", i))
	}
	f.add("<!-- spock: spock/ci -->\nwritten by somebody who knows the mark")
	f.foreign[231] = true
	f.add("<!-- spock: spock/ci-nightly -->\nof another pipeline")
	r := report()
	for _, text := range []string{"first", "second", "second"} {
		r.Comment = text
		if _, err := c.Tell(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.comments) != 233 || f.comments[232].Body != "<!-- spock: spock/ci -->\nsecond" {
		t.Errorf("%d comments, the last is %q", len(f.comments), f.comments[len(f.comments)-1].Body)
	}
	edits := 0
	for _, call := range f.calls {
		if call == "PATCH /repos/team-a/shop/issues/comments/233" {
			edits++
		}
	}
	if edits != 1 {
		t.Errorf("%d edits; what stands there already is not written", edits)
	}
}

func TestAnUnclearAnswerMakesNoSecondComment(t *testing.T) {
	t.Parallel()
	f, c := newFake(t)
	f.answer = func(w http.ResponseWriter, call string) bool {
		if !strings.HasPrefix(call, "POST /repos/team-a/shop/issues/") || len(f.comments) > 0 {
			return false
		}
		f.add("<!-- spock: spock/ci -->\nIt failed.") // done, and the answer is lost
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	address, err := c.Tell(t.Context(), report())
	if err != nil || len(f.comments) != 1 || address != "https://github.example.com/c/1" {
		t.Errorf("%d comments, %q, %v", len(f.comments), address, err)
	}
}

func TestARateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	f, c := newFake(t)
	refused := 0
	f.answer = func(w http.ResponseWriter, call string) bool {
		if refused == 3 {
			return false
		}
		refused++
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	if _, err := c.Tell(t.Context(), report()); err != nil || len(f.statuses) != 3 || len(f.comments) != 1 {
		t.Errorf("%d statuses, %d comments, %v", len(f.statuses), len(f.comments), err)
	}
}

func TestARefusalSaysWhat(t *testing.T) {
	t.Parallel()
	f, c := newFake(t)
	f.answer = func(w http.ResponseWriter, _ string) bool {
		http.Error(w, `{"message":"Resource not accessible by personal access token"}`, http.StatusForbidden)
		return true
	}
	_, err := c.Tell(t.Context(), report())
	want := "set the status of build: POST /repos/team-a/shop/statuses/" + strings.Repeat("0a", 20) + ": 403 Forbidden: Resource not accessible by personal access token"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestWhatLeadsElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Report){
		"a repository with a path in it":      func(r *Report) { r.Repository = "team-a/shop/../../user" },
		"a repository of dots":                func(r *Report) { r.Repository = "../.." },
		"a repository without owner":          func(r *Report) { r.Repository = "shop" },
		"a branch for a commit":               func(r *Report) { r.Commit = "main" },
		"a commit that is a path":             func(r *Report) { r.Commit = "../" + strings.Repeat("0", 37) },
		"a context that ends the hidden mark": func(r *Report) { r.Context = "x-->" },
		"a context with a line in it":         func(r *Report) { r.Context = "x\ny" },
		"no context":                          func(r *Report) { r.Context = "" },
		"a pull request below zero":           func(r *Report) { r.Pull = -1 },
		"a link that is a script":             func(r *Report) { r.Link = "javascript:alert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t)
			r := report()
			change(&r)
			if _, err := c.Tell(t.Context(), r); err == nil || len(f.calls) > 0 {
				t.Errorf("%v after %v", err, f.calls)
			}
		})
	}
}

func TestTextsFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(1, 40000).Draw(t, "times")%7000)
		if got := cut(text, mostDescription); utf8.RuneCountInString(got) > mostDescription || strings.ContainsAny(got, "\r\n") {
			t.Fatalf("description %q", got)
		}
		if got := limit(text); len([]rune(got)) > mostComment {
			t.Fatalf("a comment of %d characters", len([]rune(got)))
		}
	})
}
