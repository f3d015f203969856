//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"

	"spock.dev/spock/pkg/task/api/apitest"
)

const apiToken = "e2e-api-token"

// double stands for GitHub and Jira, below /api/v3 and /jira. It takes what their published
// descriptions have, and writes down what is wrong with anything else.
type double struct {
	mu            sync.Mutex
	url           string
	github, jira  apitest.Description
	statuses      map[string][]string // states by commit and context, in the order in which they came
	comments      []string            // of the pull request
	written       int                 // how often a comment was written or edited
	issueComments []string
	links         map[string]string
	issueStatus   string
	problems      []string
}

// double listens where pods reach this machine.
func (l *lab) double() *double {
	l.Helper()
	host := l.setting(l.T, "HOST_IP")
	d := &double{statuses: map[string][]string{}, links: map[string]string{}, issueStatus: "In Progress"}
	var err error
	d.github, err = apitest.Read(filepath.Join(root, "pkg", "task", "github", "testdata", "operations.json"))
	l.must(err)
	d.jira, err = apitest.Read(filepath.Join(root, "pkg", "task", "jira", "testdata", "operations.json"))
	l.must(err)
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	l.must(err)
	mux := http.NewServeMux()
	mux.Handle("/api/v3/", http.StripPrefix("/api/v3", d.checked(d.github, d.asGitHub)))
	mux.Handle("/jira/", http.StripPrefix("/jira", d.checked(d.jira, d.asJira)))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	l.Cleanup(server.Close)
	d.url = "http://" + listener.Addr().String()
	return d
}

// checked lets nothing through that the description does not have.
func (d *double) checked(description apitest.Description, answer func(apitest.Operation, *http.Request, []byte) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		o, err := description.Check(r, body)
		if err == nil && r.Header.Get("Authorization") != "Bearer "+apiToken {
			err = fmt.Errorf("the token is another")
		}
		if err != nil {
			d.problems = append(d.problems, fmt.Sprintf("%s %s: %v", r.Method, r.URL, err))
			http.Error(w, `{"message":"Unprocessable"}`, http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(o.Success[len(o.Success)-1])
		if o.Success[0] != http.StatusNoContent {
			_ = json.NewEncoder(w).Encode(answer(o, r, body))
		} else {
			answer(o, r, body)
		}
	})
}

func (d *double) asGitHub(o apitest.Operation, r *http.Request, raw []byte) any {
	var said struct{ State, Context, Body string }
	_ = json.Unmarshal(raw, &said)
	shown := func(i int) object {
		return object{"id": i + 1, "body": d.comments[i], "html_url": fmt.Sprintf("https://github.example.com/c/%d", i+1)}
	}
	switch {
	case strings.Contains(o.Path, "/statuses/"):
		key := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:] + " " + said.Context
		d.statuses[key] = append(d.statuses[key], said.State)
		return object{"state": said.State}
	case o.Method == http.MethodGet:
		all := []object{}
		for i := range d.comments {
			all = append(all, shown(i))
		}
		return all
	case o.Method == http.MethodPost:
		d.comments = append(d.comments, said.Body)
		d.written++
		return shown(len(d.comments) - 1)
	}
	i := 0
	_, _ = fmt.Sscan(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], &i)
	d.comments[i-1] = said.Body
	d.written++
	return shown(i - 1)
}

func (d *double) asJira(o apitest.Operation, r *http.Request, raw []byte) any {
	var said struct {
		Body       string
		GlobalID   string
		Object     struct{ URL string }
		Transition struct{ ID string }
	}
	_ = json.Unmarshal(raw, &said)
	shown := func(i int) object {
		return object{"id": fmt.Sprint(10001 + i), "body": d.issueComments[i], "self": fmt.Sprintf("https://jira.example.com/c/%d", i)}
	}
	what := o.Method + strings.TrimPrefix(o.Path, "/rest/api/2/issue/{issueIdOrKey}")
	switch what {
	case "GET/comment":
		all := []object{}
		for i := range d.issueComments {
			all = append(all, shown(i))
		}
		return object{"startAt": 0, "maxResults": 100, "total": len(all), "comments": all}
	case "POST/comment":
		d.issueComments = append(d.issueComments, said.Body)
		return shown(len(d.issueComments) - 1)
	case "PUT/comment/{id}":
		d.issueComments[0] = said.Body
		return shown(0)
	case "POST/remotelink":
		d.links[said.GlobalID] = said.Object.URL
		return object{"id": 1}
	case "GET/transitions":
		return object{"transitions": []object{{"id": "11", "name": "Hand over", "to": object{"name": "In Test"}}}}
	case "POST/transitions":
		d.issueStatus = "In Test"
		return nil
	}
	return object{"fields": object{"status": object{"name": d.issueStatus}}}
}

// told is a copy of what stands there, and of what was wrong.
func (d *double) told() *double {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw := &double{statuses: map[string][]string{}, links: map[string]string{}, issueStatus: d.issueStatus, written: d.written}
	for key, states := range d.statuses {
		raw.statuses[key] = append([]string{}, states...)
	}
	for key, url := range d.links {
		raw.links[key] = url
	}
	raw.comments, raw.issueComments = append(raw.comments, d.comments...), append(raw.issueComments, d.issueComments...)
	raw.problems = append(raw.problems, d.problems...)
	return raw
}
