package customrun

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// examples are the objects in a page's YAML blocks.
func examples(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
		all = append(all, strings.Split(block[1], "\n---\n")...)
	}
	return all
}

func TestTheExamplesInTheDocsAreAccepted(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]int{"tasks/deploy.md": 4, "tasks/teardown.md": 1, "tekton.md": 0} {
		all := examples(t, page)
		if len(all) != want {
			t.Errorf("%s has %d examples, want %d", page, len(all), want)
		}
		for _, text := range all {
			accept(t, page, text)
		}
	}
}

func accept(t *testing.T, page, text string) {
	t.Helper()
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(text), &meta); err != nil {
		t.Fatalf("%s: %v in\n%s", page, err, text)
	}
	objects := map[string]any{
		"PipelineRun": &pipelinev1.PipelineRun{}, "CustomRun": &v1beta1.CustomRun{},
		"ServiceAccount": &corev1.ServiceAccount{}, "RoleBinding": &rbacv1.RoleBinding{},
	}
	object := objects[meta.Kind]
	if object == nil {
		t.Fatalf("%s: unexpected kind %q in\n%s", page, meta.Kind, text)
	}
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatalf("%s: %v in\n%s", page, err, text)
	}
	switch o := object.(type) {
	case *pipelinev1.PipelineRun:
		o.Name = "example"
		o.SetDefaults(context.Background())
		if err := o.Validate(context.Background()); err != nil {
			t.Errorf("%s: Tekton refuses the PipelineRun: %v", page, err)
		}
		for _, task := range append(o.Spec.PipelineSpec.Tasks, o.Spec.PipelineSpec.Finally...) {
			understood(t, page, customRunOf(task))
		}
	case *v1beta1.CustomRun:
		if err := o.Validate(context.Background()); err != nil {
			t.Errorf("%s: Tekton refuses the CustomRun: %v", page, err)
		}
		understood(t, page, o)
	}
}

// customRunOf is what Tekton makes of a pipeline task, or nil when it is no custom task.
func customRunOf(task pipelinev1.PipelineTask) *v1beta1.CustomRun {
	if task.TaskRef == nil || task.TaskRef.APIVersion == "" {
		return nil
	}
	run := &v1beta1.CustomRun{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}
	run.Spec.CustomRef = &v1beta1.TaskRef{APIVersion: task.TaskRef.APIVersion, Kind: v1beta1.TaskKind(task.TaskRef.Kind)}
	for _, p := range task.Params {
		value := v1beta1.ParamValue{Type: v1beta1.ParamType(p.Value.Type), StringVal: p.Value.StringVal, ArrayVal: p.Value.ArrayVal}
		if strings.HasPrefix(value.StringVal, "$(") {
			value.StringVal = "a-result"
		}
		run.Spec.Params = append(run.Spec.Params, v1beta1.Param{Name: p.Name, Value: value})
	}
	return run
}

func understood(t *testing.T, page string, run *v1beta1.CustomRun) {
	t.Helper()
	if run == nil {
		return
	}
	kind, err := kindOf(run)
	if err != nil {
		t.Errorf("%s: %v", page, err)
		return
	}
	if _, err := requestOf(run, kind); err != nil {
		t.Errorf("%s: %v", page, err)
	}
}

func TestTheDocsNameEveryParamAndResult(t *testing.T) {
	t.Parallel()
	for kind, page := range map[string]string{KindDeploy: "deploy.md", KindTeardown: "teardown.md"} {
		text, err := os.ReadFile("../../../docs/tasks/" + page)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range params[kind] {
			names = append(names, p.name)
		}
		run := deployRun(func(run *v1beta1.CustomRun) { run.Spec.CustomRef.Kind = v1beta1.TaskKind(kind) })
		for _, r := range (&pass{run: run}).results(true) {
			names = append(names, r.Name)
		}
		for _, name := range names {
			if !strings.Contains(string(text), "| `"+name+"` |") {
				t.Errorf("%s does not tell of %s", page, name)
			}
		}
		for _, reason := range []string{ReasonInvalid, ReasonRefused} {
			if !strings.Contains(string(text), "`"+reason+"`") {
				t.Errorf("%s does not tell of the reason %s", page, reason)
			}
		}
	}
}

func TestContract12NothingIsMadeButTheEnvironment(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(ready)
	l.pass()
	l.pass()
	known := []string{"tekton patch customruns", "tekton update customruns/status", "user patch environments"}
	for _, write := range l.writes() {
		if !slices.Contains(known, write) {
			t.Errorf("an unexpected write: %s", write)
		}
	}
}

func TestContract16TheDocsSayWhatChainsCannotSign(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"tasks/deploy.md", "tekton.md"} {
		text, err := os.ReadFile("../../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "https://github.com/tektoncd/chains/issues/1210") {
			t.Errorf("%s does not tell of pipelines that need provenance", page)
		}
	}
}
