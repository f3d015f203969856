package tasks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const secret = "s3cret-token"

// fakeService writes down what it is asked for, and answers what makes a client go on.
type fakeService struct {
	mu      sync.Mutex
	calls   []string
	answers map[string]string
}

func (f *fakeService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var said struct{ State, Context string }
	_ = json.Unmarshal(body, &said)
	call := r.Method + " " + r.URL.Path
	f.calls = append(f.calls, strings.TrimSpace(call+" "+said.Context+" "+said.State))
	answer, ok := f.answers[call]
	if r.Header.Get("Authorization") != "Bearer "+secret || !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, answer)
}

// TestOutwardTasks runs the step of each sample as Tekton would: params and workspaces put
// into the arguments, the token in a file, results in another.
func TestOutwardTasks(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "task-runner")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/task-runner").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	statuses := "POST /repos/team-a/shop/statuses/0123456789abcdef0123456789abcdef01234567"
	issue := "/rest/api/2/issue/SHOP-42"
	tests := map[string]struct {
		answers map[string]string
		calls   []string
		results map[string]string
	}{
		"github-status": {
			answers: map[string]string{statuses: `{}`},
			calls:   []string{statuses + " spock/build success", statuses + " spock/unit-test failure", statuses + " spock/deploy error"},
			results: map[string]string{"comment": ""},
		},
		"jira-update": {
			answers: map[string]string{
				"GET " + issue: `{"fields":{"status":{"name":"Open"}}}`, "GET " + issue + "/comment": `{"total":0,"comments":[]}`,
				"POST " + issue + "/comment":    `{"self":"https://jira.example.com/comment/1"}`,
				"GET " + issue + "/transitions": `{"transitions":[{"id":"5","name":"Hand over","to":{"name":"In Test"}}]}`, "POST " + issue + "/transitions": ``,
			},
			calls: []string{
				"GET " + issue + "/comment", "POST " + issue + "/comment", "GET " + issue, "GET " + issue + "/transitions", "POST " + issue + "/transitions",
			},
			results: map[string]string{"comment": "https://jira.example.com/comment/1", "status": "In Test"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &fakeService{answers: tt.answers}
			server := httptest.NewServer(service)
			defer server.Close()
			results := t.TempDir()
			out, err := exec.CommandContext(t.Context(), program, arguments(t, name, server.URL, results)...).CombinedOutput()
			if err != nil || bytes.Contains(out, []byte(secret)) {
				t.Errorf("%v\n%s", err, out)
			}
			if diff := cmp.Diff(tt.calls, service.calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			for result, want := range tt.results {
				if got, err := os.ReadFile(filepath.Join(results, result)); err != nil || string(got) != want {
					t.Errorf("result %s is %q, %v; want %q", result, got, err, want)
				}
			}
		})
	}
}

// arguments are those of the Task's one step, with what the sample gives.
func arguments(t *testing.T, name, api, results string) []string {
	t.Helper()
	var task v1.Task
	decode(t, filepath.Join(name, name+".yaml"), &task)
	credentials := t.TempDir()
	if err := os.WriteFile(filepath.Join(credentials, "token"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	texts := []string{"$(workspaces.credentials.path)", credentials, "$(workspaces.records.path)", ""}
	lists := map[string][]string{}
	for _, p := range append(given(t, name), standards(task.Spec.Params)...) {
		if p.Name == "api" {
			p.Value.StringVal = api
		}
		texts = append(texts, "$(params."+p.Name+")", p.Value.StringVal)
		if _, seen := lists[p.Name]; !seen {
			lists[p.Name] = p.Value.ArrayVal
		}
	}
	put := strings.NewReplacer(texts...)
	var out []string
	for i, arg := range task.Spec.Steps[0].Args {
		if list, ok := strings.CutSuffix(arg, "[*])"); ok {
			out = append(out, lists[strings.TrimPrefix(list, "$(params.")]...)
			continue
		}
		out = append(out, put.Replace(arg))
		if i == 0 {
			out = append(out, "--results="+results)
		}
	}
	return out
}

func standards(specs v1.ParamSpecs) (out v1.Params) {
	for _, p := range specs {
		if p.Default != nil {
			out = append(out, v1.Param{Name: p.Name, Value: *p.Default})
		}
	}
	return out
}

// given are the params of the sample, which come before what is standard.
func given(t *testing.T, name string) v1.Params {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(name, "samples", "taskrun.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			t.Fatalf("the sample of %s has no TaskRun", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		var run v1.TaskRun
		if err := yaml.Unmarshal(document, &run); err == nil && run.Kind == "TaskRun" {
			return run.Spec.Params
		}
	}
}
