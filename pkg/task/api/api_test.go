package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers is a server that gives one answer after the other.
type answer struct {
	code int
	head string // the value of Retry-After
	body string
}

func client(t *testing.T, answers ...answer) (*Client, *[]time.Duration, *int) {
	t.Helper()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("Authorization is %q", r.Header.Get("Authorization"))
		}
		a := answers[min(calls, len(answers)-1)]
		calls++
		if a.head != "" {
			w.Header().Set("Retry-After", a.head)
		}
		w.WriteHeader(a.code)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer s3cret") }, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var waited []time.Duration
	c.Now = func() time.Time { return time.Unix(0, 0) }
	c.Wait = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	return c, &waited, &calls
}

func TestDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers    []answer
		repeatable bool
		waited     []time.Duration
		calls      int
		fails      string
	}{
		"a success needs one call": {
			answers: []answer{{200, "", `{"id":7}`}}, calls: 1,
		},
		"trouble is waited for": {
			answers: []answer{{502, "", ""}, {503, "", ""}, {200, "", `{"id":7}`}}, repeatable: true,
			waited: []time.Duration{time.Second, 2 * time.Second}, calls: 3,
		},
		"a pause longer than the patience is not begun": {
			answers: []answer{{429, "86400", `{"message":"slow down"}`}}, repeatable: true, calls: 1, fails: "POST /x: 429 Too Many Requests: slow down",
		},
		"patience ends": {
			answers: []answer{{429, "240", ""}}, repeatable: true, waited: []time.Duration{4 * time.Minute, 4 * time.Minute}, calls: 3, fails: "POST /x: 429 Too Many Requests:",
		},
		"a refusal is told in the server's words": {
			answers: []answer{{400, "", `{"errorMessages":["Issue does not\nexist"],"errors":{}}`}}, calls: 1, fails: "POST /x: 400 Bad Request: Issue does not exist",
		},
		"what is no JSON is not repeated in an error": {
			answers: []answer{{404, "", `<html>s3cret</html>`}}, calls: 1, fails: "POST /x: 404 Not Found:",
		},
		"an answer that is no JSON is an error": {
			answers: []answer{{200, "", `<html>`}}, calls: 1, fails: "POST /x: read the answer: invalid character '<' looking for beginning of value",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, waited, calls := client(t, tt.answers...)
			var out struct{ ID int }
			err := c.Do(t.Context(), Call{Method: http.MethodPost, Path: "/x", In: map[string]string{"a": "b"}, Out: &out, Repeatable: tt.repeatable})
			if got := said(err); got != tt.fails {
				t.Errorf("error is %q, want %q", got, tt.fails)
			}
			if tt.fails == "" && out.ID != 7 {
				t.Errorf("the answer was not read: %+v", out)
			}
			if diff := cmp.Diff(tt.waited, *waited); diff != "" {
				t.Errorf("pauses (-want +got):\n%s", diff)
			}
			if *calls != tt.calls {
				t.Errorf("%d calls, want %d", *calls, tt.calls)
			}
		})
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	c, waited, _ := client(t, answer{200, "", "{}"})
	dead := httptest.NewServer(http.NotFoundHandler())
	c.Base = dead.URL
	dead.Close()
	if err := c.Do(t.Context(), Call{Method: http.MethodPost, Path: "/x"}); err == nil || len(*waited) != 0 {
		t.Errorf("a call that must not be made twice: %v, waited %v", err, *waited)
	}
	c.Patience = 3 * time.Second
	if err := c.Do(t.Context(), Call{Method: http.MethodGet, Path: "/x", Repeatable: true}); err == nil || len(*waited) != 2 {
		t.Errorf("a call that may be repeated: %v, waited %v", err, *waited)
	}
	c.Wait = func(context.Context, time.Duration) error { return context.Canceled }
	if err := c.Do(t.Context(), Call{Method: http.MethodGet, Path: "/x", Repeatable: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopping while waiting is told as %v", err)
	}
}

func TestNewRefusesAddresses(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "api.example.com", "ftp://api.example.com", "https://me:pw@api.example.com", "https://api.example.com?x=1", "https://a b"} {
		if _, err := New(base, nil, nil); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("address %q: %v", base, err)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text, want string
		refused    bool
	}{
		"a newline at the end is none of it": {"s3cret\n", "s3cret", false},
		"two words are no token":             {"s3cret and more", "", true},
		"an empty file holds none":           {"\n", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Token(path)
			if got != tt.want || (err != nil) != tt.refused || err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("token is %q, %v", got, err)
			}
		})
	}
	if _, err := Token(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file is told as %v", err)
	}
}
