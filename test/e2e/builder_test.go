//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// A build of a Dockerfile needs a user namespace; a pod that may not make one is told so, in
// one sentence and before anything is pulled. (That builds work, its own test shows.)
func TestABuildThatMayNotMakeAUserNamespaceSaysSo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	var run tektonv1.TaskRun
	l.must(yaml.UnmarshalStrict([]byte(`
metadata: {generateName: build-}
spec:
  taskRef: {name: build-dockerfile}
  params: [{name: image, value: "registry.localhost:5000/test/none"}, {name: dockerfile, value: "."}]
  podTemplate: {securityContext: {fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}}
  workspaces: [{name: source, emptyDir: {}}]
`), &run))
	made, err := l.tekton.TektonV1().TaskRuns(l.name).Create(l.ctx, &run, metav1.CreateOptions{})
	l.must(err)
	await(l, ref{taskRuns, l.name, made.Name}, 2*time.Minute, "done", func(run *tektonv1.TaskRun) bool { return run != nil && run.IsDone() })
	log, err := l.tool("", "tkn", "taskrun", "logs", "-n", l.name, made.Name)
	if want := "error: this pod may not make a user namespace with ids of its own, which a build without root needs"; !strings.Contains(log, want) {
		t.Errorf("%v; the log does not say %s:\n%s", err, want, log)
	}
}
