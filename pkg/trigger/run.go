package trigger

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/nearest"
)

var reference = regexp.MustCompile(`\$\(event\.([^)]*)\)`)

// Prefix of the labels and annotations by which a run knows its event.
const Prefix = "spock.dev/event-"

// Taken is the annotation of a run with the time at which its event was taken, in a form
// whose order is that of the texts.
const Taken = Prefix + "taken"

// Template is a PipelineRun in whose params `$(event.NAME)` stands for a value.
type Template struct{ object map[string]any }

// ParseTemplate reads a template. One that names a value which no event has is refused,
// and so is one with a name or a namespace of its own.
func ParseTemplate(raw []byte) (Template, error) {
	object := map[string]any{}
	if err := yaml.Unmarshal(raw, &object); err != nil {
		return Template{}, fmt.Errorf("read the template of a run: %w", err)
	}
	run := unstructured.Unstructured{Object: object}
	if run.GetAPIVersion() != "tekton.dev/v1" || run.GetKind() != "PipelineRun" {
		return Template{}, fmt.Errorf("template: it is a %s of %q; write a PipelineRun of tekton.dev/v1", run.GetKind(), run.GetAPIVersion())
	}
	if run.GetName() != "" || run.GetGenerateName() != "" || run.GetNamespace() != "" {
		return Template{}, fmt.Errorf("template: name and namespace of the run are not its own; leave them out")
	}
	for _, found := range reference.FindAllStringSubmatch(string(raw), -1) {
		if !slices.Contains(Names(), found[1]) {
			return Template{}, fmt.Errorf("template: there is no $(event.%s); %s", found[1], nearest.Hint(found[1], Names(), ""))
		}
	}
	params, _, _ := unstructured.NestedSlice(object, "spec", "params")
	inside := len(reference.FindAllString(fmt.Sprint(params), -1))
	if all := len(reference.FindAllString(fmt.Sprint(object), -1)); all != inside {
		return Template{}, fmt.Errorf("template: $(event.NAME) stands outside of spec.params, where it has no meaning")
	}
	return Template{object}, nil
}

// Run makes the run of a decision. The template stays as it is.
func (t Template) Run(d Decision, namespace, delivery string) *unstructured.Unstructured {
	run := &unstructured.Unstructured{Object: t.object}
	run = run.DeepCopy()
	if params, ok, _ := unstructured.NestedSlice(run.Object, "spec", "params"); ok {
		// A slice of JSON values stays one.
		_ = unstructured.SetNestedSlice(run.Object, replaced(params, d.Values).([]any), "spec", "params")
	}
	run.SetName(d.Name)
	run.SetNamespace(namespace)
	labels := map[string]string{Prefix + "source": d.Values["source"], Prefix + "action": string(d.Action)}
	for _, name := range []string{"number", "issue"} {
		if d.Values[name] != "" {
			labels[Prefix+name] = d.Values[name]
		}
	}
	labels = merged(run.GetLabels(), labels)
	run.SetLabels(labels)
	annotations := map[string]string{}
	if !d.Taken.IsZero() {
		annotations[Taken] = d.Taken.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	}
	if safe(delivery) && delivery != "" {
		annotations[Prefix+"delivery"] = delivery
	}
	for _, name := range []string{"repository", "commit"} {
		if d.Values[name] != "" {
			annotations[Prefix+name] = d.Values[name]
		}
	}
	if len(annotations) > 0 {
		run.SetAnnotations(merged(run.GetAnnotations(), annotations))
	}
	return run
}

func merged(own, ours map[string]string) map[string]string {
	out := maps.Clone(ours)
	if own == nil {
		return out
	}
	for name, value := range own {
		if _, taken := out[name]; !taken {
			out[name] = value
		}
	}
	return out
}

// replaced puts the values into all texts of a tree. A value is never looked at again.
func replaced(tree any, values map[string]string) any {
	switch v := tree.(type) {
	case string:
		return reference.ReplaceAllStringFunc(v, func(found string) string {
			return values[strings.TrimSuffix(strings.TrimPrefix(found, "$(event."), ")")]
		})
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = replaced(v[i], values)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, one := range v {
			out[name] = replaced(one, values)
		}
		return out
	}
	return tree
}
