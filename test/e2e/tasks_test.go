//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/pkg/apis"
)

var taskRuns = schema.GroupVersionResource{Group: "tekton.dev", Version: "v1", Resource: "taskruns"}

// byTheDemo is run on the example's commit before these tests, since it needs a
// repository to clone.
const byTheDemo = "pipelines/commit-to-environment/tests"

// Every Task and Pipeline brings a PipelineRun that shows it working.
func TestTasksAndPipelinesRunTheirTests(t *testing.T) {
	t.Parallel()
	needsNode(t, "the steps of Tasks are containers")
	folders, err := filepath.Glob(filepath.Join(root, "*s", "*", "tests"))
	if err != nil || len(folders) < 6 {
		t.Fatalf("found the tests of Tasks and Pipelines %v, %v", folders, err)
	}
	for _, folder := range folders {
		name, err := filepath.Rel(root, folder)
		if err != nil {
			t.Fatal(err)
		}
		if name == byTheDemo || !strings.HasPrefix(name, "tasks/") && !strings.HasPrefix(name, "pipelines/") {
			continue
		}
		t.Run(filepath.Dir(name), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.installCatalog()
			manifests, err := l.tool("", "demo", "resolve", name)
			l.must(err)
			created, err := l.tool(manifests, "kubectl", "create", "-n", l.name, "-f", "-", "-o", "name")
			l.Cleanup(func() { l.removeClasses(created) })
			l.must(err)
			l.runsWell(created)
		})
	}
}

func (l *lab) installCatalog() {
	needsNode(l.T, "the steps of Tasks are containers")
	catalog, err := l.tool("", "demo", "resolve", "tasks", "pipelines")
	l.must(err)
	_, err = l.tool(catalog, "kubectl", "apply", "--server-side", "-n", l.name, "-f", "-")
	l.must(err)
	// The account and the rights that whoever deploys needs.
	_, err = l.tool("", "kubectl", "apply", "--server-side", "-n", l.name, "-f", "tasks/deploy-env/samples/role.yaml")
	l.must(err)
}

// removeClasses takes away what does not go with the namespace. The test's context is over
// by then.
func (l *lab) removeClasses(created string) {
	for _, line := range strings.Fields(created) {
		name, ok := strings.CutPrefix(line, "environmentclass.spock.dev/")
		if !ok {
			continue
		}
		if err := l.spock.SpockV1alpha1().EnvironmentClasses().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			l.Errorf("remove class %s: %v", name, err)
		}
	}
}

// runsWell waits for the PipelineRuns and TaskRuns among what was created.
func (l *lab) runsWell(created string) {
	found := false
	for _, line := range strings.Fields(created) {
		kind, name, _ := strings.Cut(line, "/")
		var done *apis.Condition
		switch kind {
		case "pipelinerun.tekton.dev":
			run := await(l, ref{pipelineRuns, l.name, name}, 4*time.Minute, "done", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
			done = run.Status.GetCondition(apis.ConditionSucceeded)
		case "taskrun.tekton.dev":
			run := await(l, ref{taskRuns, l.name, name}, 4*time.Minute, "done", func(run *tektonv1.TaskRun) bool { return run != nil && run.IsDone() })
			done = run.Status.GetCondition(apis.ConditionSucceeded)
		default:
			continue
		}
		found = true
		if !done.IsTrue() {
			logs, _ := l.tool("", "tkn", strings.TrimSuffix(kind, ".tekton.dev"), "logs", "-n", l.name, name)
			l.Errorf("%s: %s: %s\n%s", line, done.Reason, done.Message, logs)
		}
	}
	if !found {
		l.Errorf("there is no PipelineRun and no TaskRun among %q", created)
	}
}
