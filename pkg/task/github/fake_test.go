package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spock.dev/spock/pkg/task/api"
)

// operation is one of those that GitHub publishes, reduced to what can be checked.
type operation struct {
	Method, Path string
	Success      []int
	Query        []string
	Body         *schema
}

type schema struct {
	Type       string
	Required   []string
	Enum       []string
	Nullable   bool
	Properties map[string]schema
}

func (s schema) check(where string, value any) error {
	switch v := value.(type) {
	case string:
		if s.Type != "string" || len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q, not one of %s %q", where, v, s.Type, s.Enum)
		}
	case nil:
		if !s.Nullable {
			return fmt.Errorf("%s is null", where)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return fmt.Errorf("%s has no %s", where, name)
			}
		}
		for name, one := range v {
			known, ok := s.Properties[name]
			if !ok {
				return fmt.Errorf("%s.%s is not described", where, name)
			}
			if err := known.check(where+"."+name, one); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s is a %T", where, v)
	}
	return nil
}

// fakeGitHub answers as GitHub does to what its API description allows, and fails the test
// for anything else.
type fakeGitHub struct {
	*testing.T
	operations []operation
	mu         sync.Mutex
	statuses   map[string]status // the last of each context
	comments   []comment
	foreign    map[int64]bool // comments that only their authors may edit
	calls      []string
	// answer, when set, may answer instead; true says that it did.
	answer func(w http.ResponseWriter, call string) bool
}

func newFake(t *testing.T) (*fakeGitHub, Client) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "operations.json"))
	if err != nil {
		t.Fatal(err)
	}
	var described struct{ Operations []operation }
	if err := json.Unmarshal(raw, &described); err != nil || len(described.Operations) != 4 {
		t.Fatalf("read the description: %d operations, %v", len(described.Operations), err)
	}
	f := &fakeGitHub{T: t, operations: described.Operations, statuses: map[string]status{}, foreign: map[int64]bool{}}
	server := httptest.NewServer(http.StripPrefix("/api/v3", f))
	t.Cleanup(server.Close)
	c, err := api.New(server.URL+"/api/v3", Bearer("s3cret"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c.Wait = func(context.Context, time.Duration) error { return nil }
	return f, New(c)
}

// find returns the operation of a request.
func (f *fakeGitHub) find(r *http.Request) (operation, bool) {
	for _, o := range f.operations {
		pattern := "^" + regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(o.Path, `[A-Za-z0-9_.-]+`) + "$"
		if o.Method == r.Method && regexp.MustCompile(pattern).MatchString(r.URL.EscapedPath()) {
			return o, true
		}
	}
	return operation{}, false
}

func (f *fakeGitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	o, err := f.valid(r, raw)
	if err != nil {
		f.Errorf("%s %s: %v", r.Method, r.URL, err)
		http.Error(w, `{"message":"Unprocessable"}`, http.StatusUnprocessableEntity)
		return
	}
	call := r.Method + " " + r.URL.Path
	f.calls = append(f.calls, call)
	if f.answer != nil && f.answer(w, call) {
		return
	}
	f.do(w, r, o, raw)
}

func (f *fakeGitHub) valid(r *http.Request, raw []byte) (operation, error) {
	o, ok := f.find(r)
	if !ok {
		return o, fmt.Errorf("GitHub has no such operation")
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer s3cret", "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "spock",
	} {
		if got := r.Header.Get(name); got != want {
			return o, fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name := range r.URL.Query() {
		if !slices.Contains(o.Query, name) {
			return o, fmt.Errorf("query %s is not described", name)
		}
	}
	if o.Body == nil {
		if len(raw) > 0 {
			return o, fmt.Errorf("it has a body")
		}
		return o, nil
	}
	var value any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&value); err != nil {
		return o, err
	}
	return o, o.Body.check("body", value)
}

func (f *fakeGitHub) do(w http.ResponseWriter, r *http.Request, o operation, raw []byte) {
	var given comment
	switch {
	case strings.Contains(o.Path, "statuses"):
		var s status
		_ = json.Unmarshal(raw, &s)
		if len([]rune(s.Description)) > 140 {
			f.Errorf("description of %d characters", len([]rune(s.Description)))
		}
		f.statuses[s.Context] = s
		f.reply(w, o, s)
	case r.Method == http.MethodGet:
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		from := min((page-1)*size, len(f.comments))
		f.reply(w, o, append([]comment{}, f.comments[from:min(from+size, len(f.comments))]...))
	case r.Method == http.MethodPost:
		_ = json.Unmarshal(raw, &given)
		f.add(given.Body)
		f.reply(w, o, f.comments[len(f.comments)-1])
	default:
		_ = json.Unmarshal(raw, &given)
		f.edit(w, r, o, given)
	}
}

func (f *fakeGitHub) add(body string) {
	id := int64(len(f.comments) + 1)
	f.comments = append(f.comments, comment{ID: id, Body: body, URL: fmt.Sprintf("https://github.example.com/c/%d", id)})
}

func (f *fakeGitHub) edit(w http.ResponseWriter, r *http.Request, o operation, given comment) {
	id, _ := strconv.ParseInt(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], 10, 64)
	if f.foreign[id] {
		http.Error(w, `{"message":"Must have admin rights"}`, http.StatusForbidden)
		return
	}
	f.comments[id-1].Body = given.Body
	f.reply(w, o, f.comments[id-1])
}

func (f *fakeGitHub) reply(w http.ResponseWriter, o operation, value any) {
	w.WriteHeader(o.Success[0])
	if err := json.NewEncoder(w).Encode(value); err != nil {
		f.Error(err)
	}
}
