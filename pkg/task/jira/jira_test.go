package jira

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func report() Report {
	return Report{
		Issue: "SHOP-42", Context: "ci", Comment: "deploy failed: @here {noformat}*x*", Link: "https://shop.example.com", Title: "shop-42", Transition: "In Test",
	}
}

func TestAnIssueIsTold(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]string{"on Data Center, with a personal access token": "", "on Cloud, with user and API token": "me@example.com"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, user)
			told, err := c.Tell(t.Context(), report())
			if diff := cmp.Diff(Told{Comment: "https://jira.example.com/comment/10001", Status: "In Test"}, told); diff != "" || err != nil {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
			want := "{noformat}\ndeploy failed: @here (noformat)*x*\n{noformat}\nKept up to date by Spock: ci"
			if diff := cmp.Diff(want, f.comments[0].Body); diff != "" {
				t.Errorf("comment (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]remoteObject{"spock:ci": {URL: "https://shop.example.com", Title: "shop-42"}}, f.links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if f.status != "In Test" {
				t.Errorf("the issue is %s", f.status)
			}
		})
	}
}

func TestTellingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, "")
	for range 2 {
		if _, err := c.Tell(t.Context(), report()); err != nil {
			t.Fatal(err)
		}
	}
	moves := slices.DeleteFunc(slices.Clone(f.calls), func(call string) bool { return call != "POST /transitions" })
	if len(f.comments) != 1 || len(f.links) != 1 || len(moves) != 1 {
		t.Errorf("%d comments, %d links, %d moves", len(f.comments), len(f.links), len(moves))
	}
}

func TestTheCommentIsEditedInPlace(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, "")
	for i := range 120 { // the comment stands on the second page
		f.add(fmt.Sprintf("talk %d: Kept up to date by Spock: ci, they say", i))
	}
	f.foreign[f.comments[f.add("a copy\nKept up to date by Spock: ci")].ID] = true
	r := Report{Issue: "SHOP-42", Context: "ci"}
	for _, text := range []string{"first", "second"} {
		r.Comment = text
		if _, err := c.Tell(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.comments); n != 122 || !strings.Contains(f.comments[n-1].Body, "second") {
		t.Errorf("%d comments, the last is %q", n, f.comments[n-1].Body)
	}
}

func TestAMoveWhoseAnswerIsLostIsSeen(t *testing.T) {
	t.Parallel()
	f, c := newFake(t, "")
	f.answer = func(w http.ResponseWriter, call string) bool {
		if call != "POST /transitions" {
			return false
		}
		f.status = "In Test"
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	told, err := c.Tell(t.Context(), report())
	if err != nil || told.Status != "In Test" {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	all := []transition{to("1", "Done", "Closed"), to("2", "Finish", "Done"), to("3", "Hand over", "In Test")}
	for name, tt := range map[string]struct {
		all        []transition
		wanted, id string
		fails      string
	}{
		"by its own name before the status another leads to": {all, "done", "1", ""},
		"by the status it leads to":                          {all, "in test", "3", ""},
		"a slip is told with the nearest":                    {all, "Finnish", "", `there is no transition "Finnish" from here; did you mean "Finish"?`},
		"a stranger is told with all":                        {all, "Approve the lot", "", `there is no transition "Approve the lot" from here; there are ["Done" "Finish" "Hand over"]`},
		"without any":                                        {nil, "Done", "", `there is no transition "Done", nor any other that the account may make`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(tt.all, tt.wanted)
			if got.ID != tt.id || (err != nil || tt.fails != "") && fmt.Sprint(err) != tt.fails {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestWhatLeadsElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Report){
		"a key that is a path":         func(r *Report) { r.Issue = "SHOP-42/../SHOP-1" },
		"a key in small letters":       func(r *Report) { r.Issue = "shop-42" },
		"a key with a query":           func(r *Report) { r.Issue = "SHOP-42?x=y" },
		"no key":                       func(r *Report) { r.Issue = "" },
		"a context with a line in it":  func(r *Report) { r.Context = "a\nb" },
		"a link that is a script":      func(r *Report) { r.Link = "javascript:alert(1)" },
		"a link without a host":        func(r *Report) { r.Link = "https:///x" },
		"an issue number that is zero": func(r *Report) { r.Issue = "SHOP-0" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t, "")
			r := report()
			change(&r)
			if _, err := c.Tell(t.Context(), r); err == nil || len(f.calls) > 0 {
				t.Errorf("%v after %v", err, f.calls)
			}
		})
	}
}
