package cli

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"
)

// tree is a working tree with one file that is not committed, and a PipelineRun beside it.
func tree(t *testing.T) (dir, file string) {
	t.Helper()
	dir, file = filepath.Join(t.TempDir(), "shop"), filepath.Join(t.TempDir(), "self-test.yaml")
	if out, err := exec.Command("git", "init", "--quiet", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	sample, err := os.ReadFile("../../pipelines/self-test/samples/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{filepath.Join(dir, "main.go"): "package main\n", file: string(sample)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, file
}

// plays makes every PipelineRun that is created end with a condition, and keeps it.
func (w *world) plays(condition apis.Condition) *tektonv1.PipelineRun {
	kept := &tektonv1.PipelineRun{}
	events := watch.NewFakeWithChanSize(2, false)
	w.tekton.PrependReactor("create", "pipelineruns", func(a clienttesting.Action) (bool, runtime.Object, error) {
		*kept = *a.(clienttesting.CreateAction).GetObject().(*tektonv1.PipelineRun)
		kept.Name = "self-test-x7k2p"
		events.Modify(kept.DeepCopy())
		end := kept.DeepCopy()
		end.Status.SetCondition(&condition)
		end.Status.Results = []tektonv1.PipelineRunResult{{Name: "url", Value: *tektonv1.NewStructuredValues("http://web.shop-ann.dev.example.com")}}
		events.Modify(end)
		return true, kept, nil
	})
	w.tekton.PrependWatchReactor("pipelineruns", clienttesting.DefaultWatchReactor(events, nil))
	return kept
}

func TestAPipelineRunsOnTheWorkingTree(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	to := strings.TrimPrefix(server.URL, "http://") + "/trees"
	for name, c := range map[string]struct {
		condition apis.Condition
		args      []string
	}{
		"pipeline-run":        {apis.Condition{Type: apis.ConditionSucceeded, Status: "True", Message: "Tasks Completed: 6 (Failed: 0, Cancelled 0), Skipped: 0"}, nil},
		"pipeline-run-failed": {apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Message: "Tasks Completed: 3 (Failed: 1, Cancelled 0), Skipped: 3"}, nil},
		"pipeline-run-begun":  {apis.Condition{}, []string{"--wait=false"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, file := tree(t)
			w := newWorld(t)
			made := w.plays(c.condition)
			task := &tektonv1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "team-a", Labels: map[string]string{
				"tekton.dev/pipelineRun": "self-test-x7k2p", "tekton.dev/pipelineTask": "unit-test"}}}
			task.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Message: "1 of 12 tests failed"})
			if err := w.tekton.Tracker().Add(task); err != nil {
				t.Fatal(err)
			}
			r := w.run(append([]string{"pipeline", "run", "-f", file, "--to", to, "--pull-from", "registry.svc/trees", "--source", dir, "-p", "environment=shop-ann", "-p", `packages=["./cmd/web"]`}, c.args...)...)
			r.args = []string{"pipeline", "run"}
			r.err = strings.NewReplacer(dir, "shop", to, "registry.example.com/trees").Replace(r.err)
			r.golden(t, name)
			params := map[string]tektonv1.ParamValue{}
			for _, p := range made.Spec.Params {
				params[p.Name] = p.Value
			}
			if !strings.HasPrefix(params["source"].StringVal, "registry.svc/trees@sha256:") || params["environment"].StringVal != "shop-ann" ||
				strings.Join(params["packages"].ArrayVal, " ") != "./cmd/web" || params["class"].StringVal != "dev" {
				t.Errorf("the run has the params %+v", made.Spec.Params)
			}
		})
	}
}

func TestPipelineRunRefusals(t *testing.T) {
	t.Parallel()
	dir, file := tree(t)
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"pipeline-run-no-file":    {"", nil},
		"pipeline-run-no-kind":    {"apiVersion: v1\nkind: Pod\n", []string{"-f", "-", "--to", "registry.example.com/trees"}},
		"pipeline-run-no-name":    {"apiVersion: tekton.dev/v1\nkind: PipelineRun\n", []string{"-f", "-", "--to", "registry.example.com/trees"}},
		"pipeline-run-bad-param":  {"", []string{"-f", file, "--to", "registry.example.com/trees", "-p", "environment"}},
		"pipeline-run-bad-target": {"", []string{"-f", file, "--to", "Not One", "--source", dir}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stdin = c.stdin
			r := w.run(append([]string{"pipeline", "run"}, c.args...)...)
			r.args = []string{"pipeline", "run"}
			r.golden(t, name)
		})
	}
}
