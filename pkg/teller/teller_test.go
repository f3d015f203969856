package teller

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/task/api"
)

func TestARunIsToldFromItsBeginningToItsEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.says("the beginning", run("up"), nil,
		"status spock/build pending running", "status spock/deploy pending running", "status spock/run pending running")
	l.says("nothing new", run("up"), map[string]child{"build": ofTaskRun(taskRun("build", "Unknown", nil))})
	children := map[string]child{"build": ofTaskRun(taskRun("build", "True", built))}
	l.says("a task has ended", run("up"), children, "status spock/build success 1 image")
	children["deploy"] = ofCustomRun(customRun("True", ""))
	comment := `comments <!-- spock: spock -->
### ✅ Environment

**Environment** ` + "`shop-7`" + ` is Ready <http://web.example.com>

| task | state | took | what |
|---|---|---|---|
| build | Succeeded | 0.0s | 1 image |
| deploy | Succeeded | 0.0s | Ready |

<details><summary>1 image built</summary>

- ` + "`web=r/web@sha256:01`" + `

</details>

<details><summary>1 image deployed</summary>

- ` + "`web=r/web@sha256:01`" + `

</details>

The run: <https://t.example.com/team-a/up-1>`
	got, err := l.tells(run("up", ended("True", "")), children)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"status spock/deploy success Ready http://web.example.com", "status spock/run success succeeded", comment}, got[:3]); diff != "" {
		t.Errorf("the end (-want +got):\n%s", diff)
	}
	var jira []string
	for _, call := range got[3:] {
		word, _, _ := strings.Cut(call, " ")
		jira = append(jira, word)
	}
	if diff := cmp.Diff([]string{"comment", "remotelink", "transitions"}, jira); diff != "" {
		t.Errorf("the issue (-want +got):\n%s", diff)
	}
	l.says("nothing new", run("up", ended("True", "")), children)
}

func TestWhatARunSaysThatDidNotGoWell(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		run      *tektonv1.PipelineRun
		children map[string]child
		want     []string
		comment  string
	}{
		"a task failed": {
			run: run("up", ended("False", "Tasks Completed: 1 (Failed: 1)")), children: map[string]child{"build": ofTaskRun(taskRun("build", "False", nil))},
			want:    []string{"status spock/build failure step-x exited with code 1", "status spock/deploy error not run", "status spock/run failure Tasks Completed: 1 (Failed: 1)"},
			comment: "**Why build failed**",
		},
		"a deploy failed, and says why": {
			run:      run("up", ended("False", "Tasks Completed: 2 (Failed: 1)")),
			children: map[string]child{"build": ofTaskRun(taskRun("build", "True", built)), "deploy": ofCustomRun(customRun("False", "web: the image does not exist"))},
			want:     []string{"status spock/build success 1 image", "status spock/deploy failure web: the image does not exist", "status spock/run failure Tasks Completed: 2 (Failed: 1)"},
			comment:  "web: the image does not exist",
		},
		"it could not begin": {
			run:     run("up", ended("False", `Pipeline team-a/shop can't be Run; Task "x" not found`), func(r *tektonv1.PipelineRun) { r.Status.PipelineSpec = nil }),
			want:    []string{`status spock/run failure Pipeline team-a/shop can't be Run; Task "x" not found`},
			comment: `can't be Run; Task "x" not found`,
		},
		"it was cancelled": {
			run:     run("up", ended("False", "PipelineRun \"up-1\" was cancelled"), func(r *tektonv1.PipelineRun) { r.Spec.Status = tektonv1.PipelineRunSpecStatusCancelled }),
			want:    []string{"status spock/build error not run", "status spock/deploy error not run", "status spock/run error PipelineRun \"up-1\" was cancelled"},
			comment: "was cancelled",
		},
		"a teardown says nothing of a commit": {
			run:     run("down", ended("False", "it took too long")),
			comment: "### ⚪ Teardown",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			got, err := l.tells(tt.run, tt.children)
			if err != nil || len(got) < len(tt.want)+1 {
				t.Fatalf("%q, %v", got, err)
			}
			statuses, comment := got[:len(tt.want)], got[len(tt.want)]
			if diff := cmp.Diff(tt.want, append([]string(nil), statuses...)); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			if !strings.Contains(comment, tt.comment) {
				t.Errorf("the comment does not tell %q:\n%s", tt.comment, comment)
			}
			for _, call := range got {
				if strings.HasPrefix(call, "transitions") {
					t.Errorf("the issue is moved: %s", call)
				}
			}
		})
	}
}

func TestTheNumbersOfTests(t *testing.T) {
	t.Parallel()
	r := ofTaskRun(taskRun("test", "False", map[string]tektonv1.ParamValue{
		"tests": *text("5"), "failures": *text("1"), "coverage": *text("71.4"), "TEST_OUTPUT": *text(`{"result":"FAILURE","successes":3,"failures":1}`),
	})).record("test")
	if got := *r.Tests; got.Passed != 3 || got.Failed != 1 || got.Skipped != 1 || got.Coverage != "71.4" {
		t.Errorf("%+v", got)
	}
}

func TestWhomNobodyIsToldOf(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*tektonv1.PipelineRun){
		"another repository":        func(r *tektonv1.PipelineRun) { r.Annotations["spock.dev/event-repository"] = "team-b/secret" },
		"what ended the day before": func(r *tektonv1.PipelineRun) { r.Status.CompletionTime = &metav1.Time{Time: now.Add(-25 * time.Hour)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run("up", ended("True", ""), change, func(r *tektonv1.PipelineRun) { delete(r.Labels, "spock.dev/event-issue") })
			if got, err := newLab(t).tells(r, nil); err != nil || len(got) > 0 {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestWhatCannotBeToldIsToldLater(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.services.code = http.StatusForbidden
	if _, err := l.tells(run("up"), nil); api.Code(err) != http.StatusForbidden || !strings.Contains(err.Error(), "tell GitHub of run up-1") {
		t.Errorf("error %v", err)
	}
	l.services.code = 0
	l.says("the beginning", run("up"), nil,
		"status spock/build pending running", "status spock/deploy pending running", "status spock/run pending running")
}

// The runs of the cluster are watched: what changes is told without being asked for.
func TestWhatChangesIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.services.said = make(chan string, 100)
	watch, err := NewWatch(l.cluster, "team-a")
	if err != nil {
		t.Fatal(err)
	}
	l.teller.Runs = watch
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- watch.Serve(ctx, l.teller) }()
	if _, err := l.cluster.TektonV1().PipelineRuns("team-a").Create(ctx, run("up"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-l.services.said
	}
	if _, err := l.cluster.TektonV1().TaskRuns("team-a").Create(ctx, taskRun("build", "True", built), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-l.services.said; got != "status spock/build success 1 image" {
		t.Errorf("told %q", got)
	}
	if _, err := l.cluster.TektonV1beta1().CustomRuns("team-a").Create(ctx, customRun("True", ""), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-l.services.said; got != "status spock/deploy success Ready http://web.example.com" {
		t.Errorf("told %q", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestConfigsAreChecked(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		"{}":                            "whom to tell: nobody; write github or jira",
		"{github: {}}":                  "github: no repository is told; name them in repositories, as owner/name",
		"{jira: {transitions: {u: x}}}": `transitions: "u" is no action of an event; the actions are [up down integrate test deploy]`,
		"{jira: {}, link: x}":           `link "x": write an absolute HTTP address`,
		"{jira: {}, lnk: x}":            `read whom to tell: error unmarshaling JSON: while decoding JSON: json: unknown field "lnk"`,
	} {
		if _, err := ParseConfig([]byte(config)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", config, err, want)
		}
	}
}
