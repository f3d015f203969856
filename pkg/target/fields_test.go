package target_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/target"
)

// managed is an object as the API server returns it, with who owns what.
func managed(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	content := map[string]any{}
	err := yaml.Unmarshal([]byte(`
metadata:
  managedFields:
  - {manager: spock, operation: Apply, apiVersion: autoscaling/v1, time: "2026-11-22T12:00:00Z", fieldsV1: {"f:spec": {"f:a": {}}}}
  - {manager: spock, operation: Apply, apiVersion: autoscaling/v2, time: "2026-11-22T12:00:09Z", fieldsV1: {"f:spec": {"f:b": {".": {}, "f:c": {}}}}}
  - {manager: spock, operation: Update, time: "2026-11-22T12:00:01Z", fieldsV1: {"f:spec": {"f:d": {}}}}
  - {manager: kubectl-edit, operation: Update, time: "2026-11-22T12:00:03Z", fieldsV1: {"f:spec": {"f:e": {}}}}
  - {manager: kubectl-scale, operation: Update, subresource: scale, time: "2026-11-22T12:00:07Z", fieldsV1: {"f:spec": {"f:replicas": {}}}}
  - {manager: kubelet, operation: Update, subresource: status, time: "2026-11-22T12:00:08Z", fieldsV1: {"f:status": {}}}
`), &content)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

func TestFieldsArePackedAndRead(t *testing.T) {
	t.Parallel()
	o := managed(t)
	want := map[string]any{"f:spec": map[string]any{"f:a": map[string]any{}, "f:b": map[string]any{".": map[string]any{}, "f:c": map[string]any{}}}}
	for _, when := range []string{"as the API server gives it", "packed", "packed twice"} {
		got, known := target.OwnFields(o)
		if diff := cmp.Diff(want, got); diff != "" || !known {
			t.Errorf("%s: known %t (-want +got):\n%s", when, known, diff)
		}
		target.PackFields(o)
	}
	var kept []any
	for _, entry := range o.Object["metadata"].(map[string]any)["managedFields"].([]any) {
		kept = append(kept, entry.(map[string]any)["fieldsV1"])
	}
	if diff := cmp.Diff([]any{
		`{"f:spec":{"f:a":{}}}`, `{"f:spec":{"f:b":{".":{},"f:c":{}}}}`, `{"f:spec":{"f:d":{}}}`, `{"f:spec":{"f:e":{}}}`, `{"f:spec":{"f:replicas":{}}}`, nil,
	}, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if got := o.GetManagedFields(); len(got) != 6 || got[3].Manager != "kubectl-edit" || got[3].Time.Second() != 3 {
		t.Errorf("who wrote when is lost: %+v", got)
	}
}

func TestAnObjectThatDoesNotTellWhoOwnsIt(t *testing.T) {
	t.Parallel()
	o := managed(t)
	o.SetManagedFields(nil)
	if _, known := target.OwnFields(o); known {
		t.Error("its owners are known")
	}
	if others, by := target.Others(o), target.ScaledBy(o); len(others) > 0 || by != "" {
		t.Errorf("its writers are %v, and it was scaled by %q", others, by)
	}
	target.PackFields(o)
}

func TestTheOthersTheLastOneFirst(t *testing.T) {
	t.Parallel()
	o := managed(t)
	target.PackFields(o)
	of := func(field string) map[string]any {
		return map[string]any{"f:spec": map[string]any{field: map[string]any{}}}
	}
	want := []target.Manager{{Name: "kubectl-scale", Fields: of("f:replicas")}, {Name: "kubectl-edit", Fields: of("f:e")}, {Name: "spock", Fields: of("f:d")}}
	if diff := cmp.Diff(want, target.Others(o)); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
	if got := target.ScaledBy(o); got != "kubectl-scale" {
		t.Errorf("scaled by %q", got)
	}
}
