package apitest

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsNotDescribedIsSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ api, method, url, body, want string }{
		"a status":                  {"github", "POST", "/repos/a/b/statuses/0a", `{"state":"success","context":"x","target_url":null}`, ""},
		"a state that is none":      {"github", "POST", "/repos/a/b/statuses/0a", `{"state":"good"}`, `body.state is "good"`},
		"no state":                  {"github", "POST", "/repos/a/b/statuses/0a", `{"context":"x"}`, "body has no state"},
		"a field too many":          {"github", "POST", "/repos/a/b/statuses/0a", `{"state":"success","color":"red"}`, "body.color is not described"},
		"a number for a text":       {"github", "POST", "/repos/a/b/statuses/0a", `{"state":1}`, "body.state is a float64"},
		"null where it is not let":  {"github", "POST", "/repos/a/b/statuses/0a", `{"state":null}`, "body.state is null"},
		"half a body":               {"github", "POST", "/repos/a/b/statuses/0a", `{`, "the body is no JSON"},
		"a query":                   {"github", "GET", "/repos/a/b/issues/7/comments?page=2", ``, ""},
		"a query too many":          {"github", "GET", "/repos/a/b/issues/7/comments?order=x", ``, "query order is not described"},
		"a body where none belongs": {"github", "GET", "/repos/a/b/issues/7/comments", `{}`, "it has a body"},
		"another method":            {"github", "DELETE", "/repos/a/b/issues/comments/7", ``, "there is no operation DELETE"},
		"a transition":              {"jira", "POST", "/rest/api/2/issue/SHOP-42/transitions", `{"transition":{"id":"5"}}`, ""},
		"one that is a text":        {"jira", "POST", "/rest/api/2/issue/SHOP-42/transitions", `{"transition":"5"}`, `body.transition is "5"`},
		"a link without a title":    {"jira", "POST", "/rest/api/2/issue/SHOP-42/remotelink", `{"object":{"url":"http://x"}}`, "body.object has no title"},
		"a comment":                 {"jira", "PUT", "/rest/api/2/issue/SHOP-42/comment/10001", `{"body":"x"}`, ""},
		"an issue that is a path":   {"jira", "GET", "/rest/api/2/issue/SHOP-42/../7", ``, "there is no operation GET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := Read(filepath.Join("..", "..", tt.api, "testdata", "operations.json"))
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(tt.method, tt.url, http.NoBody)
			_, err = d.Check(r, []byte(tt.body))
			if got := ""; err != nil {
				got = err.Error()
				if tt.want == "" || !strings.Contains(got, tt.want) {
					t.Errorf("said %q, want %q", got, tt.want)
				}
			} else if tt.want != "" {
				t.Errorf("nothing is said, want %q", tt.want)
			}
		})
	}
}

func TestADescriptionWithoutOperationsIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); err == nil {
		t.Error("a file that is not there is read")
	}
}
