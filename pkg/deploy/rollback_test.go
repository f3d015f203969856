package deploy

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
)

// given is an environment of which a deploy has set the account and one of two parameters.
func given(e *v1alpha1.Environment) {
	e.UID = "uid-1"
	e.Spec.ServiceAccountName = "deployer"
	e.Spec.Parameters = map[string]apiextensionsv1.JSON{"level": {Raw: []byte(`"info"`)}, "color": {Raw: []byte(`"red"`)}}
	e.Spec.Run = &v1alpha1.RunLayer{Attempt: "1", Source: "0a1b2c", Services: []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders:2"}}}
	e.ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: "spock-cli", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:parameters":{"f:color":{}}}}`)}},
		{Manager: FieldManager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:suspend":{}}}`)}},
		{Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:class":{},"f:parameters":{"f:level":{}},"f:serviceAccountName":{}}}`)}},
	}
}

func TestARollbackRepeatsWhatTheLastDeploySet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		existing *v1alpha1.Environment
		to       v1alpha1.RollbackRequest
		want     string
	}{
		"of an environment that a deploy made": {stored(given), v1alpha1.RollbackRequest{To: "shop-1"},
			`{"apiVersion":"spock.dev/v1alpha1","kind":"Environment","metadata":{"name":"shop","namespace":"team-a","uid":"uid-1"},` +
				`"spec":{"class":"dev","parameters":{"level":"info"},"product":"shop",` +
				`"run":{"attempt":"2","source":"0a1b2c","services":[{"name":"orders","image":"r/orders:2"}],"rollback":{"to":"shop-1"}},` +
				`"serviceAccountName":"deployer","suspend":false}}`},
		"of one that somebody else made": {stored(func(e *v1alpha1.Environment) { e.UID, e.Spec.ServiceAccountName, e.Spec.Run = "uid-1", "deployer", nil }),
			v1alpha1.RollbackRequest{To: "shop-1", Services: []string{"orders"}},
			`{"apiVersion":"spock.dev/v1alpha1","kind":"Environment","metadata":{"name":"shop","namespace":"team-a","uid":"uid-1"},` +
				`"spec":{"class":"dev","product":"shop","run":{"attempt":"2","rollback":{"to":"shop-1","services":["orders"]}},"suspend":false}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewSimpleClientset()
			var got []clienttesting.PatchActionImpl
			client.PrependReactor("patch", "environments", func(action clienttesting.Action) (bool, runtime.Object, error) {
				got = append(got, action.(clienttesting.PatchActionImpl))
				return true, tt.existing, nil
			})
			before := tt.existing.DeepCopy()
			if _, err := RollBack(context.Background(), client, tt.existing, tt.to, "2"); err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].PatchOptions.FieldManager != FieldManager || !*got[0].PatchOptions.Force {
				t.Fatalf("patches %+v", got)
			}
			if diff := cmp.Diff(tt.want, string(got[0].Patch)); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tt.existing); diff != "" {
				t.Errorf("what was read changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestAnEnvironmentOnItsWayOutIsNotRolledBack(t *testing.T) {
	t.Parallel()
	leaving := stored(func(e *v1alpha1.Environment) { e.DeletionTimestamp = &metav1.Time{} })
	_, err := RollBack(context.Background(), fake.NewSimpleClientset(), leaving, v1alpha1.RollbackRequest{To: "shop-1"}, "2")
	if !errors.Is(err, ErrRefused) || err.Error() != "environment team-a/shop: it is being torn down: refused" {
		t.Errorf("RollBack() = %v", err)
	}
}
