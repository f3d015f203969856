package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/api/apitest"
)

// fakeGitHub answers as GitHub does to what its API description allows, and fails the test
// for anything else.
type fakeGitHub struct {
	*testing.T
	description apitest.Description
	mu          sync.Mutex
	statuses    map[string]status // the last of each context
	comments    []comment
	foreign     map[int64]bool // comments that only their authors may edit
	calls       []string
	// answer, when set, may answer instead; true says that it did.
	answer func(w http.ResponseWriter, call string) bool
}

func newFake(t *testing.T) (*fakeGitHub, Client) {
	t.Helper()
	description, err := apitest.Read(filepath.Join("testdata", "operations.json"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeGitHub{T: t, description: description, statuses: map[string]status{}, foreign: map[int64]bool{}}
	server := httptest.NewServer(http.StripPrefix("/api/v3", f))
	t.Cleanup(server.Close)
	c, err := api.New(server.URL+"/api/v3", Bearer("s3cret"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c.Wait = func(context.Context, time.Duration) error { return nil }
	return f, New(c)
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

func (f *fakeGitHub) valid(r *http.Request, raw []byte) (apitest.Operation, error) {
	for name, want := range map[string]string{
		"Authorization": "Bearer s3cret", "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "spock",
	} {
		if got := r.Header.Get(name); got != want {
			return apitest.Operation{}, fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	return f.description.Check(r, raw)
}

func (f *fakeGitHub) do(w http.ResponseWriter, r *http.Request, o apitest.Operation, raw []byte) {
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

func (f *fakeGitHub) edit(w http.ResponseWriter, r *http.Request, o apitest.Operation, given comment) {
	id, _ := strconv.ParseInt(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], 10, 64)
	if f.foreign[id] {
		http.Error(w, `{"message":"Must have admin rights"}`, http.StatusForbidden)
		return
	}
	f.comments[id-1].Body = given.Body
	f.reply(w, o, f.comments[id-1])
}

func (f *fakeGitHub) reply(w http.ResponseWriter, o apitest.Operation, value any) {
	w.WriteHeader(o.Success[0])
	if err := json.NewEncoder(w).Encode(value); err != nil {
		f.Error(err)
	}
}
