package tasks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"sigs.k8s.io/yaml"
)

// asTask is a Task of the one step, to which the conventions apply as they are.
func asTask(action v1beta1.StepAction) v1.Task {
	task := v1.Task{ObjectMeta: action.ObjectMeta}
	step := action.Spec.ToStep()
	step.Name = action.Name
	task.Spec = v1.TaskSpec{Params: action.Spec.Params, Steps: []v1.Step{*step}}
	for _, r := range action.Spec.Results {
		task.Spec.Results = append(task.Spec.Results, v1.TaskResult{Name: r.Name, Type: r.Type, Description: r.Description})
	}
	return task
}

func TestStepActions(t *testing.T) {
	t.Parallel()
	for _, e := range entries(t, "../stepactions/*/*.yaml") {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var action v1beta1.StepAction
			decode(t, e.path, &action)
			action.SetDefaults(t.Context())
			if err := action.Validate(t.Context()); err != nil {
				t.Errorf("Tekton refuses it: %v", err)
			}
			for _, problem := range violations(strings.TrimPrefix(e.path, "../"), "stepaction", asTask(action)) {
				t.Error(problem)
			}
			for _, r := range action.Spec.Results {
				if r.Description == "" || !strings.Contains(strings.Join(action.Spec.Args, " "), "$(step.results."+r.Name+".path)") {
					t.Errorf("result %s has no description, or the program is not told where it goes", r.Name)
				}
			}
			samples, err := filepath.Glob(filepath.Join(filepath.Dir(e.path), "samples", "*.yaml"))
			if err != nil || len(samples) == 0 {
				t.Errorf("there are no samples: %v", err)
			}
			for _, path := range samples {
				sample(t, path)
			}
			readme := filepath.Join(filepath.Dir(e.path), "README.md")
			var use []v1.Step
			if err := yaml.UnmarshalStrict(firstYAML(t, readme, "## Use"), &use); err != nil || len(use) == 0 {
				t.Errorf("%s: how it is used: %d steps, %v", readme, len(use), err)
			}
			knownActions(t, readme, use)
		})
	}
}

// firstYAML is the first block of YAML below a heading of a page.
func firstYAML(t *testing.T, path, heading string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), heading+"\n")
	_, rest, found := strings.Cut(rest, "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("%s has no YAML below %s", path, heading)
	}
	return []byte(text)
}

func TestTheTaskOfThePageAboutStepActions(t *testing.T) {
	t.Parallel()
	const page = "../docs/catalog.md"
	var task v1.Task
	if err := yaml.UnmarshalStrict(firstYAML(t, page, "## StepActions"), &task); err != nil {
		t.Fatal(err)
	}
	task.SetDefaults(t.Context())
	if err := task.Validate(t.Context()); err != nil {
		t.Errorf("Tekton refuses it: %v", err)
	}
	knownActions(t, page, task.Spec.Steps)
}

// knownActions fails when a sample names a StepAction that is not here, gives it a param it
// does not have, or lacks one it needs.
func knownActions(t *testing.T, path string, steps []v1.Step) {
	t.Helper()
	for _, step := range steps {
		if step.Ref == nil || step.Ref.Name == "" {
			continue
		}
		var action v1beta1.StepAction
		decode(t, filepath.Join("..", "stepactions", step.Ref.Name, step.Ref.Name+".yaml"), &action)
		given := map[string]bool{}
		for _, p := range step.Params {
			given[p.Name] = true
		}
		for _, p := range action.Spec.Params {
			if p.Default == nil && !given[p.Name] {
				t.Errorf("%s: step %s does not give %s", path, step.Name, p.Name)
			}
			delete(given, p.Name)
		}
		for name := range given {
			t.Errorf("%s: step %s gives %s, which %s does not have", path, step.Name, name, action.Name)
		}
	}
}
