package teller

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"github.com/tektoncd/pipeline/pkg/client/clientset/versioned/fake"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/github"
	"spock.dev/spock/pkg/task/jira"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// fakeServices are GitHub and Jira: they write down what they are told, each in a line.
type fakeServices struct {
	mu    sync.Mutex
	calls []string
	code  int // 0 is well
	said  chan string
}

func (f *fakeServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var said struct{ State, Context, Description, Body string }
	_ = json.Unmarshal(body, &said)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.code != 0 {
		w.WriteHeader(f.code)
		return
	}
	switch {
	case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/issue/") && strings.HasSuffix(r.URL.Path, "/comment"):
		fmt.Fprint(w, `{"total":0,"comments":[]}`)
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/transitions"):
		fmt.Fprint(w, `{"transitions":[{"id":"5","name":"Hand over","to":{"name":"In Test"}}]}`)
	case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/issue/"):
		fmt.Fprint(w, `{"fields":{"status":{"name":"Open"}}}`)
	case r.Method == http.MethodGet:
		fmt.Fprint(w, `[]`)
	default:
		where := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if where == commit {
			where = "status"
		}
		call := strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{where, said.Context, said.State, said.Description, said.Body}, func(s string) bool { return s == "" }), " "))
		f.calls = append(f.calls, call)
		if f.said != nil {
			f.said <- call
		}
		fmt.Fprint(w, `{}`)
	}
}

// take returns what was said since it was asked last.
func (f *fakeServices) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return out
}

func run(action string, change ...func(*tektonv1.PipelineRun)) *tektonv1.PipelineRun {
	r := &tektonv1.PipelineRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: "up-1",
		Labels:      map[string]string{"spock.dev/event-source": "github", "spock.dev/event-action": action, "spock.dev/event-number": "7", "spock.dev/event-issue": "SHOP-42"},
		Annotations: map[string]string{"spock.dev/event-repository": "team-a/shop", "spock.dev/event-commit": commit},
	}}
	r.Status.PipelineSpec = &tektonv1.PipelineSpec{Tasks: []tektonv1.PipelineTask{{Name: "ask"}, {Name: "build"}, {Name: "deploy"}}}
	r.Status.SkippedTasks = []tektonv1.SkippedTask{{Name: "ask", Reason: tektonv1.WhenExpressionsSkip}}
	for _, c := range change {
		c(r)
	}
	return r
}

func ended(status, message string) func(*tektonv1.PipelineRun) {
	return func(r *tektonv1.PipelineRun) {
		r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "True"})
		if status != "True" {
			r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Message: message})
		}
		r.Status.CompletionTime = &metav1.Time{Time: now.Add(-time.Minute)}
	}
}

func taskRun(task, status string, results map[string]tektonv1.ParamValue) *tektonv1.TaskRun {
	r := &tektonv1.TaskRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: "up-1-" + task, Labels: map[string]string{ofRun: "up-1", ofTask: task, "spock.dev/event-source": "github"},
	}}
	r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "Unknown"})
	switch status {
	case "True":
		r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "True"})
	case "False":
		r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Message: "step-x exited with code 1"})
	}
	for name, value := range results {
		r.Status.Results = append(r.Status.Results, tektonv1.TaskRunResult{Name: name, Value: value})
	}
	return r
}

func customRun(status, message string) *v1beta1.CustomRun {
	r := &v1beta1.CustomRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: "up-1-deploy", Labels: map[string]string{ofRun: "up-1", ofTask: "deploy", "spock.dev/event-source": "github"},
	}}
	r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "True"})
	if status != "True" {
		r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Message: message})
	}
	r.Status.Results = []v1beta1.CustomRunResult{
		{Name: "environment", Value: "shop-7"}, {Name: "phase", Value: "Ready"}, {Name: "url", Value: "http://web.example.com"}, {Name: "services", Value: "web=r/web@sha256:01"},
	}
	return r
}

var (
	text  = tektonv1.NewStructuredValues
	built = map[string]tektonv1.ParamValue{"services": {Type: tektonv1.ParamTypeArray, ArrayVal: []string{"web=r/web@sha256:01"}}}
)

// lab is a teller, what it tells, and the cluster it looks at.
type lab struct {
	*testing.T
	teller   *Teller
	cluster  *fake.Clientset
	services *fakeServices
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, cluster: fake.NewSimpleClientset(), services: &fakeServices{}}
	server := httptest.NewServer(l.services)
	t.Cleanup(server.Close)
	client := func() *api.Client {
		c, err := api.New(server.URL, func(*http.Request) {}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		c.Patience = 0
		return c
	}
	config, err := ParseConfig([]byte("{github: {repositories: [team-a/shop]}, link: 'https://t.example.com/$(run.namespace)/$(run.name)', jira: {api: 'https://jira.example.com', transitions: {up: In Test}}}"))
	if err != nil {
		t.Fatal(err)
	}
	l.teller = &Teller{
		Config: config, GitHub: github.New(client()), Jira: jira.New(client()), Cluster: l.cluster,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	return l
}

// fakeFinder holds one run and its children.
type fakeFinder struct {
	one *tektonv1.PipelineRun
	its map[string]child
}

func (f fakeFinder) run(string, string) (*tektonv1.PipelineRun, error)        { return f.one, nil }
func (f fakeFinder) children(*tektonv1.PipelineRun) (map[string]child, error) { return f.its, nil }

// tells looks at a run as a restarted process does: all it knows is what is kept at the run.
func (l *lab) tells(r *tektonv1.PipelineRun, children map[string]child) ([]string, error) {
	l.Helper()
	if kept, err := l.cluster.TektonV1().PipelineRuns(r.Namespace).Get(l.Context(), r.Name, metav1.GetOptions{}); err == nil {
		r.Annotations[Annotation] = kept.Annotations[Annotation]
		if _, err := l.cluster.TektonV1().PipelineRuns(r.Namespace).Update(l.Context(), r, metav1.UpdateOptions{}); err != nil {
			l.Fatal(err)
		}
	} else if _, err := l.cluster.TektonV1().PipelineRuns(r.Namespace).Create(l.Context(), r, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	l.teller.Runs, l.teller.recent = fakeFinder{r, children}, sync.Map{}
	err := l.teller.Tell(context.Background(), r.Namespace, r.Name)
	return l.services.take(), err
}

func (l *lab) says(what string, r *tektonv1.PipelineRun, children map[string]child, want ...string) {
	l.Helper()
	got, err := l.tells(r, children)
	if err != nil {
		l.Errorf("%s: %v", what, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
