package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/api/apitest"
)

// fakeJira answers as version 2 of Jira's REST API does, and fails the test for a path, a
// query or a field that it does not have.
type fakeJira struct {
	*testing.T
	authorization string
	description   apitest.Description
	mu            sync.Mutex
	status        string
	workflow      map[string][]transition // by the status they begin at
	comments      []comment
	foreign       map[string]bool
	links         map[string]remoteObject
	calls         []string
	// answer, when set, may answer instead; true says that it did.
	answer func(w http.ResponseWriter, call string) bool
}

func to(id, name, status string) transition {
	return transition{named{id, name}, named{Name: status}}
}

func newFake(t *testing.T, user string) (*fakeJira, Client) {
	t.Helper()
	description, err := apitest.Read(filepath.Join("testdata", "operations.json"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeJira{
		T: t, description: description, status: "In Progress", foreign: map[string]bool{}, links: map[string]remoteObject{},
		workflow: map[string][]transition{
			"In Progress": {to("11", "Hand over", "In Test"), to("21", "Resolve", "Done")},
			"In Test":     {to("31", "Reject", "In Progress"), to("21", "Resolve", "Done")},
		},
	}
	server := httptest.NewServer(http.StripPrefix("/jira", f))
	t.Cleanup(server.Close)
	c, err := api.New(server.URL+"/jira", Authorize(user, "s3cret"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c.Wait = func(context.Context, time.Duration) error { return nil }
	probe, _ := http.NewRequest(http.MethodGet, server.URL, nil)
	Authorize(user, "s3cret")(probe)
	f.authorization = probe.Header.Get("Authorization")
	return f, New(c)
}

func (f *fakeJira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") != f.authorization || r.Header.Get("Accept") != "application/json" {
		f.Errorf("headers %v", r.Header)
	}
	raw, _ := io.ReadAll(r.Body)
	if _, err := f.description.Check(r, raw); err != nil {
		f.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	path := strings.TrimPrefix(r.URL.Path, "/rest/api/2/issue/SHOP-42")
	body := bytes.NewReader(raw)
	call := r.Method + " " + path
	f.calls = append(f.calls, call)
	if f.answer != nil && f.answer(w, call) {
		return
	}
	id, one := strings.CutPrefix(path, "/comment/")
	switch {
	case call == "GET ":
		f.query(r.URL.Query(), "fields")
		f.reply(w, http.StatusOK, map[string]any{"fields": map[string]any{"status": named{Name: f.status}}})
	case call == "GET /transitions":
		f.query(r.URL.Query())
		f.reply(w, http.StatusOK, map[string]any{"transitions": f.workflow[f.status]})
	case call == "POST /transitions":
		f.move(w, body)
	case call == "POST /remotelink":
		var link remoteLink
		f.strict(body, &link)
		f.links[link.GlobalID] = link.Object
		f.reply(w, http.StatusCreated, map[string]any{"id": 10000})
	case call == "GET /comment":
		f.list(w, r.URL.Query())
	case call == "POST /comment":
		f.reply(w, http.StatusCreated, f.comments[f.add(f.body(body))])
	case one && r.Method == http.MethodPut:
		f.edit(w, id, f.body(body))
	default:
		f.Errorf("%s: Jira has no such operation", call)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fakeJira) strict(body io.Reader, into any) {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		f.Errorf("body: %v", err)
	}
}

func (f *fakeJira) body(body io.Reader) string {
	var w words
	f.strict(body, &w)
	if w.Body == "" || len([]rune(w.Body)) > 32767 {
		f.Errorf("a comment of %d characters", len([]rune(w.Body)))
	}
	return w.Body
}

func (f *fakeJira) query(given url.Values, allowed ...string) {
	for name := range given {
		if !bytes.Contains([]byte(strings.Join(allowed, " ")), []byte(name)) {
			f.Errorf("query %s is not described", name)
		}
	}
}

func (f *fakeJira) add(body string) int {
	id := strconv.Itoa(10001 + len(f.comments))
	f.comments = append(f.comments, comment{ID: id, Body: body, Self: "https://jira.example.com/comment/" + id})
	return len(f.comments) - 1
}

func (f *fakeJira) list(w http.ResponseWriter, q url.Values) {
	f.query(q, "startAt", "maxResults", "orderBy", "expand")
	start, _ := strconv.Atoi(q.Get("startAt"))
	most, _ := strconv.Atoi(q.Get("maxResults"))
	from := min(start, len(f.comments))
	page := append([]comment{}, f.comments[from:min(from+most, len(f.comments))]...)
	f.reply(w, http.StatusOK, map[string]any{"startAt": start, "maxResults": most, "total": len(f.comments), "comments": page})
}

func (f *fakeJira) edit(w http.ResponseWriter, id, body string) {
	for i := range f.comments {
		if f.comments[i].ID == id && !f.foreign[id] {
			f.comments[i].Body = body
			f.reply(w, http.StatusOK, f.comments[i])
			return
		}
	}
	f.reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{"You do not have the permission to edit this comment"}})
}

func (f *fakeJira) move(w http.ResponseWriter, body io.Reader) {
	var m move
	f.strict(body, &m)
	for _, t := range f.workflow[f.status] {
		if t.ID == m.Transition.ID {
			f.status = t.To.Name
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	f.reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{fmt.Sprintf("transition %s is not valid", m.Transition.ID)}})
}

func (f *fakeJira) reply(w http.ResponseWriter, code int, value any) {
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		f.Error(err)
	}
}
