package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
)

// RollBack asks an Environment, as it was read, to go back to what an earlier run wrote, as
// a whole or with some services, and returns it as stored. It is a deploy like any other:
// the next one takes the rollback away. attempt names it.
func RollBack(ctx context.Context, client versioned.Interface, existing *v1alpha1.Environment, to v1alpha1.RollbackRequest, attempt string) (*v1alpha1.Environment, error) {
	wanted, err := rollback(existing, to, attempt)
	if err != nil {
		return nil, err
	}
	stored, err := client.SpockV1alpha1().Environments(existing.Namespace).Patch(ctx, existing.Name, types.ApplyPatchType, wanted,
		metav1.PatchOptions{FieldManager: FieldManager, Force: ptr.To(true)})
	if err != nil {
		return nil, fmt.Errorf("apply environment %s/%s: %w", existing.Namespace, existing.Name, err)
	}
	return stored, nil
}

// rollback is the apply request. Who applies takes away what he set before and does not set
// again, so it repeats what the last deploy set.
func rollback(existing *v1alpha1.Environment, to v1alpha1.RollbackRequest, attempt string) ([]byte, error) {
	if existing.DeletionTimestamp != nil {
		return nil, fmt.Errorf("environment %s/%s: it is being torn down: %w", existing.Namespace, existing.Name, ErrRefused)
	}
	run := v1alpha1.RunLayer{}
	if existing.Spec.Run != nil {
		run = *existing.Spec.Run.DeepCopy()
	}
	run.Rollback, run.Attempt = &to, attempt
	spec := map[string]any{"product": existing.Spec.Product, "class": existing.Spec.Class, "suspend": false, "run": run}
	deployed := ownedSpec(existing)
	if _, ok := deployed["f:serviceAccountName"]; ok && existing.Spec.ServiceAccountName != "" {
		spec["serviceAccountName"] = existing.Spec.ServiceAccountName
	}
	if set, ok := deployed["f:parameters"].(map[string]any); ok {
		parameters := map[string]apiextensionsv1.JSON{}
		for field := range set {
			name, _ := strings.CutPrefix(field, "f:")
			if value, ok := existing.Spec.Parameters[name]; ok {
				parameters[name] = value
			}
		}
		spec["parameters"] = parameters
	}
	return json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(),
		"kind":       "Environment",
		// A namesake made meanwhile is another environment.
		"metadata": map[string]any{"name": existing.Name, "namespace": existing.Namespace, "uid": existing.UID},
		"spec":     spec,
	})
}

// ownedSpec are the fields of the spec that deploys have applied, as managed fields name them.
func ownedSpec(env *v1alpha1.Environment) map[string]any {
	for _, entry := range env.ManagedFields {
		if entry.Manager != FieldManager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec map[string]any `json:"f:spec"`
		}
		if json.Unmarshal(entry.FieldsV1.Raw, &fields) == nil {
			return fields.Spec
		}
	}
	return nil
}
