package engine

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/target"
)

// TestChangesAreSeenInTheFieldsThatTheClusterManages keeps managed fields as the API server
// does, with its own code.
func TestChangesAreSeenInTheFieldsThatTheClusterManages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		patch string
		want  []string
		by    string
	}{
		"nothing":              {patch: `{}`},
		"a field of ours":      {patch: `{"spec":{"replicas":5}}`, want: []string{"spec.replicas"}, by: "kubectl-edit"},
		"a field of nobody":    {patch: `{"spec":{"minReadySeconds":5},"metadata":{"annotations":{"a":"b"}}}`},
		"a value of ours":      {patch: `{"spec":{"replicas":2}}`},
		"a label of ours":      {patch: `{"metadata":{"labels":{"app":null}}}`, want: []string{"metadata.labels.app"}},
		"a container of ours":  {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"web:2"}]}}}}`, want: []string{"spec.template.spec.containers[web].image"}, by: "kubectl-edit"},
		"one more container":   {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"proxy","image":"proxy:1"}]}}}}`},
		"a variable of ours":   {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"LEVEL","value":"debug"}]}]}}}}`, want: []string{"spec.template.spec.containers[web].env[LEVEL].value"}, by: "kubectl-edit"},
		"a variable taken out": {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"LEVEL","$patch":"delete"}]}]}}}}`, want: []string{"spec.template.spec.containers[web].env[LEVEL]"}},
		"the arguments":        {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","args":["-b"]}]}}}}`, want: []string{"spec.template.spec.containers[web].args"}, by: "kubectl-edit"},
		"a port taken out":     {patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","ports":[{"containerPort":80,"$patch":"delete"}]}]}}}}`, want: []string{"spec.template.spec.containers[web].ports[0]"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := parse(t, wanted)
			body, err := json.Marshal(want.Object)
			if err != nil {
				t.Fatal(err)
			}
			api := fake.NewClientset().AppsV1().Deployments("home")
			if _, err := api.Patch(t.Context(), "web", types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: "spock", Force: ptr.To(true)}); err != nil {
				t.Fatal(err)
			}
			if _, err := api.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"metadata":{"annotations":{"note":"x"}}}`), metav1.PatchOptions{FieldManager: "annotator"}); err != nil {
				t.Fatal(err)
			}
			live, err := api.Patch(t.Context(), "web", types.StrategicMergePatchType, []byte(tc.patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
			if err != nil {
				t.Fatal(err)
			}
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
			if err != nil {
				t.Fatal(err)
			}
			object := &unstructured.Unstructured{Object: content}
			target.PackFields(object)
			if _, known := target.OwnFields(object); !known {
				t.Fatalf("nobody knows who owns what: %v", live.ManagedFields)
			}
			found := changed(want, object, func(string) bool { return false })
			if diff := cmp.Diff(tc.want, found.fields); diff != "" {
				t.Errorf("changed (-want +got):\n%s\n%v", diff, object.Object["metadata"])
			}
			if found.by != tc.by {
				t.Errorf("changed by %q, want %q", found.by, tc.by)
			}
		})
	}
}
