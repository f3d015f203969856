package health_test

import (
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// judgedKinds are one of each way in which a kind is judged.
var judgedKinds = map[string]string{
	"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
	"Pod": "v1", "PersistentVolumeClaim": "v1", "Service": "v1", "ConfigMap": "v1", "Ingress": "networking.k8s.io/v1",
	"HorizontalPodAutoscaler": "autoscaling/v2", "PodDisruptionBudget": "policy/v1",
	"CustomResourceDefinition": "apiextensions.k8s.io/v1", "APIService": "apiregistration.k8s.io/v1",
	"Topic": "example.com/v1", "Ruled": "example.com/v1",
}

var anyRules = []v1alpha1.ReadyRule{{APIVersion: "example.com/v1", Kind: "Ruled", Expression: "object.status.phase == 'Bound'"}}

// drawObject makes an object that looks healthy more often than not.
func drawObject(t *rapid.T, generation, observed int64) *unstructured.Unstructured {
	kind := rapid.SampledFrom(slices.Sorted(maps.Keys(judgedKinds))).Draw(t, "kind")
	n := rapid.Int64Range(0, 2)
	status := map[string]any{
		"observedGeneration": observed,
		"phase":              rapid.SampledFrom([]string{"Bound", "Running", "Succeeded", "Pending", "Failed"}).Draw(t, "phase"),
		"currentRevision":    "a", "updateRevision": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "revision"),
	}
	for _, field := range []string{
		"replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "desiredNumberScheduled",
		"updatedNumberScheduled", "numberAvailable", "currentHealthy", "desiredHealthy",
	} {
		status[field] = n.Draw(t, field)
	}
	var conditions []any
	for _, name := range []string{"Ready", "Complete", "Established", "Available", "AbleToScale", "Failed", "Progressing"} {
		conditions = append(conditions, map[string]any{
			"type": name, "status": rapid.SampledFrom([]string{"True", "False", "Unknown"}).Draw(t, name),
		})
	}
	status["conditions"] = conditions
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": judgedKinds[kind], "kind": kind,
		"metadata": map[string]any{"name": "it", "generation": generation},
		"spec":     map[string]any{"replicas": n.Draw(t, "wanted")},
		"status":   status,
	}}
}

func TestAnOlderStatusIsNeverReady(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		observed := rapid.Int64Range(0, 50).Draw(t, "observed")
		generation := rapid.Int64Range(observed+1, 60).Draw(t, "generation")
		obj := drawObject(t, generation, observed)
		if got := health.Of(obj, anyRules); got.State != health.Progressing {
			t.Fatalf("generation %d is %s (%s) by a status of generation %d", generation, got.State, got.Message, observed)
		}
	})
}

func TestAVerdictIsComplete(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		obj := drawObject(t, 3, 3)
		before := obj.DeepCopy()
		got := health.Of(obj, anyRules)
		if got.Message == "" {
			t.Fatalf("%s without a message", got.State)
		}
		if (got.Cause != nil) != (got.State == health.Failed) {
			t.Fatalf("%s (%s) with cause %v", got.State, got.Message, got.Cause)
		}
		if got.Cause != nil && (got.Cause.Hint == "" || got.Cause.Class == "") {
			t.Fatalf("cause %+v has no class or no hint", *got.Cause)
		}
		if !slices.Equal(slices.Sorted(maps.Keys(before.Object)), slices.Sorted(maps.Keys(obj.Object))) {
			t.Fatal("judging changed the object")
		}
	})
}
