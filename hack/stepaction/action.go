package main

import (
	"fmt"
	"regexp"
	"strings"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shared is where all steps of a pod may write, in every pod of Tekton.
const shared = "/tekton/home"

var (
	workspacePath = regexp.MustCompile(`\$\(workspaces\.([a-z-]+)\.path\)`)
	workspaceWord = regexp.MustCompile("the (root of the )?`([a-z-]+)` workspace")
)

// stepAction is the one step of a Task with what a StepAction can have: a param NAME-path
// for each workspace, results of the step, and, as it has no volumes of its own, a root
// that can be written to and the Go caches where all steps of the pod find them.
func stepAction(task v1.Task) (v1beta1.StepAction, error) {
	if len(task.Spec.Steps) != 1 {
		return v1beta1.StepAction{}, fmt.Errorf("task %s has %d steps; a StepAction is one", task.Name, len(task.Spec.Steps))
	}
	step := task.Spec.Steps[0]
	action := v1beta1.StepAction{
		TypeMeta:   metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "StepAction"},
		ObjectMeta: metav1.ObjectMeta{Name: task.Name, Labels: task.Labels, Annotations: task.Annotations},
		Spec: v1beta1.StepActionSpec{
			Description: task.Spec.Description, Image: step.Image, Command: step.Command, Env: step.Env,
			Params: append(paths(task.Spec.Workspaces), task.Spec.Params...),
		},
	}
	for i := range action.Spec.Params {
		action.Spec.Params[i].Description = reworded(action.Spec.Params[i].Description)
	}
	scratch := map[string]bool{}
	for _, m := range step.VolumeMounts {
		scratch[m.MountPath] = true
	}
	for i, arg := range step.Args {
		if name, path, ok := strings.Cut(arg, "="); ok && name == "--scratch-cache" && scratch[path] {
			arg = name + "=" + shared + path
		}
		action.Spec.Args = append(action.Spec.Args, workspacePath.ReplaceAllString(arg, "$$(params.$1-path)"))
		if i == 0 { // the subcommand
			action.Spec.Args = append(action.Spec.Args, places(task.Spec.Results)...)
		}
	}
	for _, r := range task.Spec.Results {
		action.Spec.Results = append(action.Spec.Results, v1.StepResult{Name: r.Name, Type: r.Type, Description: r.Description})
	}
	if step.SecurityContext != nil {
		action.Spec.SecurityContext = step.SecurityContext.DeepCopy()
		action.Spec.SecurityContext.ReadOnlyRootFilesystem = nil
	}
	return action, nil
}

// paths are the params that stand for workspaces.
func paths(workspaces []v1.WorkspaceDeclaration) (out v1.ParamSpecs) {
	for _, w := range workspaces {
		p := v1.ParamSpec{Name: w.Name + "-path", Type: v1.ParamTypeString, Description: "Directory. " + w.Description}
		if w.Optional {
			p.Default = v1.NewStructuredValues("")
			p.Description += " None when empty."
		}
		out = append(out, p)
	}
	return out
}

// places tells the program where the results of a step go, which only Tekton knows.
func places(results []v1.TaskResult) (out []string) {
	for _, r := range results {
		out = append(out, fmt.Sprintf("--result=%s=$(step.results.%s.path)", r.Name, r.Name))
	}
	return out
}

// reworded says of a param what the Task says of a workspace.
func reworded(description string) string {
	return workspaceWord.ReplaceAllString(description, "`$2-path`")
}
