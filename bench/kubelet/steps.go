package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// taskRunLabel is on the pods of Tekton's TaskRuns.
	taskRunLabel = "tekton.dev/taskRun"
	// ResultsAnnotation, on a TaskRun, is a JSON object of the results that its simulated
	// steps leave, by name. A result that it does not name is "simulated".
	ResultsAnnotation = "spock.dev/simulated-results"
	// Simulated is the value of a result that nobody has worked out.
	Simulated = "simulated"
)

func isTask(p *corev1.Pod) bool { return p.Labels[taskRunLabel] != "" }

// startSteps writes the status of a pod whose steps have started.
func (k *Kubelet) startSteps(ctx context.Context, p *corev1.Pod) error {
	if !k.hasImages(p) {
		return k.report(ctx, p, k.rest.fault(p))
	}
	return k.write(ctx, p, corev1.PodRunning, conditions(true), map[string]any{
		"initContainerStatuses": ended(p, p.Spec.InitContainers, nil),
		"containerStatuses":     containers(p, func(c corev1.Container) corev1.ContainerStatus { return container(p, c, "") }),
	})
}

func (k *Kubelet) hasImages(p *corev1.Pod) bool { return k.rest.fault(p) == "" }

// endSteps ends the steps well. The last one leaves the results that the Task declares.
func (k *Kubelet) endSteps(ctx context.Context, p *corev1.Pod) error {
	if !k.hasImages(p) {
		return nil
	}
	run, err := k.objects.Resource(taskRuns).Namespace(p.Namespace).Get(ctx, p.Labels[taskRunLabel], metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get the TaskRun of pod %s: %w", p.Name, err)
	}
	results, err := results(run)
	if err != nil {
		return err
	}
	last := p.Spec.Containers[len(p.Spec.Containers)-1].Name
	return k.write(ctx, p, corev1.PodSucceeded, conditions(false), map[string]any{
		"initContainerStatuses": ended(p, p.Spec.InitContainers, nil),
		"containerStatuses": ended(p, p.Spec.Containers, func(c corev1.Container) string {
			if c.Name != last {
				return terminationMessage(nil)
			}
			return terminationMessage(results)
		}),
	})
}

var taskRuns = schema.GroupVersionResource{Group: "tekton.dev", Version: "v1", Resource: "taskruns"}

// entry is one of a termination message, as Tekton's entrypoint writes them.
type entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Type  int    `json:"type"`
}

// The kinds of entries.
const (
	resultEntry   = 1
	internalEntry = 3
)

func terminationMessage(results []entry) string {
	started := entry{Key: "StartedAt", Value: time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), Type: internalEntry}
	text, err := json.Marshal(append(results, started))
	if err != nil {
		return "" // strings are always encoded
	}
	return string(text)
}

// results are what the steps of a TaskRun leave: what its annotation says, else a value
// that says that it is simulated, of the type that the Task declares.
func results(run *unstructured.Unstructured) ([]entry, error) {
	said := map[string]any{}
	if text := run.GetAnnotations()[ResultsAnnotation]; text != "" {
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			return nil, fmt.Errorf("read annotation %s of TaskRun %s: %w", ResultsAnnotation, run.GetName(), err)
		}
	}
	declared, _, err := unstructured.NestedSlice(run.Object, "status", "taskSpec", "results")
	if err != nil {
		return nil, fmt.Errorf("read the results that TaskRun %s declares: %w", run.GetName(), err)
	}
	var all []entry
	for _, d := range declared {
		result, _ := d.(map[string]any)
		name, _ := result["name"].(string)
		value, is := said[name]
		if !is {
			value = simulated(result)
		}
		text, is := value.(string)
		if !is {
			raw, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("encode result %s of TaskRun %s: %w", name, run.GetName(), err)
			}
			text = string(raw)
		}
		all = append(all, entry{Key: name, Value: text, Type: resultEntry})
	}
	return all, nil
}

// simulated is a value of the type that a result has.
func simulated(result map[string]any) any {
	switch result["type"] {
	case "array":
		return []any{Simulated}
	case "object":
		object := map[string]any{}
		properties, _ := result["properties"].(map[string]any)
		for name := range properties {
			object[name] = Simulated
		}
		return object
	}
	return Simulated
}
