package tasks

import (
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
)

// asTask is a Task of the one step, to which the conventions apply as they are.
func asTask(action v1beta1.StepAction) v1.Task {
	task := v1.Task{ObjectMeta: action.ObjectMeta}
	step := action.Spec.ToStep()
	step.Name = action.Name
	task.Spec = v1.TaskSpec{Params: action.Spec.Params, Steps: []v1.Step{*step}}
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
		})
	}
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
