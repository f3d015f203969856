package customrun

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// The kinds of custom tasks.
const (
	KindDeploy   = "Deploy"
	KindTeardown = "Teardown"
)

// param is a param of a custom task. A list is given as an array, or as a string, so
// that a result of an earlier task fits too.
type param struct {
	name string
	list bool
}

// params of the custom tasks, by kind.
var params = map[string][]param{
	KindDeploy: {
		{name: "environment"}, {name: "product"}, {name: "class"}, {name: "source"}, {name: "from"},
		{name: "services", list: true}, {name: "parameters", list: true},
	},
	KindTeardown: {{name: "environment"}},
}

// ours says whether a CustomRun is for us: it names our API group, or we have put our
// finalizer on it before its spec was edited. All of the group is ours, so that a
// misspelt kind is told at once: without a controller a CustomRun just hangs.
func ours(run *v1beta1.CustomRun) bool {
	apiVersion, _ := named(run)
	gv, err := schema.ParseGroupVersion(apiVersion)
	return err == nil && gv.Group == v1alpha1.SchemeGroupVersion.Group || slices.Contains(run.Finalizers, v1alpha1.FinalizerCustomRun)
}

// isOurs is ours for objects of an informer.
func isOurs(obj any) bool {
	run, ok := obj.(*v1beta1.CustomRun)
	return ok && ours(run)
}

// named is the kind that a CustomRun names, however it does.
func named(run *v1beta1.CustomRun) (apiVersion, kind string) {
	switch {
	case run.Spec.CustomRef != nil:
		return run.Spec.CustomRef.APIVersion, string(run.Spec.CustomRef.Kind)
	case run.Spec.CustomSpec != nil:
		return run.Spec.CustomSpec.APIVersion, run.Spec.CustomSpec.Kind
	}
	return "", ""
}

// kindOf is the kind of the custom task. It refuses the ways to refer to one that
// Spock's kinds do not have.
func kindOf(run *v1beta1.CustomRun) (string, error) {
	apiVersion, kind := named(run)
	ref := run.Spec.CustomRef
	switch {
	case apiVersion != v1alpha1.SchemeGroupVersion.String():
		return "", fmt.Errorf("taskRef.apiVersion %q: Spock has no custom task of it; write %s", apiVersion, v1alpha1.SchemeGroupVersion)
	case params[kind] == nil:
		return "", fmt.Errorf("taskRef.kind %q: there is no such custom task; %s", kind, nearest.Hint(kind, slices.Collect(maps.Keys(params)), ""))
	case ref == nil:
		return "", fmt.Errorf("taskSpec: %s is configured by params; use taskRef with apiVersion %s and kind %s", kind, apiVersion, kind)
	case ref.Resolver != "":
		return "", fmt.Errorf("taskRef.resolver %q: %s is built in and needs no resolver; remove it", ref.Resolver, kind)
	case ref.Name != "":
		return "", fmt.Errorf("taskRef.name %q: %s is configured by params and has no named objects; remove the name", ref.Name, kind)
	}
	return kind, nil
}

// label is the kind as far as it is known, so that what users write does not become a
// label of a metric.
func label(kind string) string {
	if params[kind] == nil {
		return "other"
	}
	return kind
}
