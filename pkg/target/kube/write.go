package kube

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// Apply implements target.Target. An object that is not known to be ours is applied
// without force: the apiserver refuses it when somebody else owns its fields.
func (t *Target) Apply(ctx context.Context, scope target.Scope, object plan.Object, mine bool) error {
	client, err := t.resource(scope, object.Key)
	if err != nil {
		return err
	}
	desired := object.Desired.DeepCopy()
	annotations := desired.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationRun] = scope.Run
	desired.SetAnnotations(annotations)
	body, err := json.Marshal(desired.Object)
	if err != nil {
		return fmt.Errorf("encode %s: %w", object.Key, err)
	}
	options := metav1.PatchOptions{FieldManager: v1alpha1.FieldManager, Force: &mine}
	got, err := client.Patch(ctx, object.Name, types.ApplyPatchType, body, options)
	if err != nil {
		return fmt.Errorf("apply %s as %s: %w", object.Key, User(scope), err)
	}
	if _, err := trim(got); err != nil {
		return err
	}
	t.written.remember(got)
	return nil
}

// Delete implements target.Target. What has pods of its own is gone before they are: they
// are seen, and the cluster has a third of the work. Of all else nobody knows what it owns, so it
// is gone only when all of that is.
func (t *Target) Delete(ctx context.Context, scope target.Scope, key plan.Key, uid types.UID) error {
	client, err := t.resource(scope, key)
	if err != nil {
		return err
	}
	how := metav1.DeletePropagationForeground
	if plan.MarksPods(key.GroupKind()) {
		how = metav1.DeletePropagationBackground
	}
	err = client.Delete(ctx, key.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &how})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		t.written.drop(scope.Namespace, key, uid)
	case err != nil:
		return fmt.Errorf("delete %s as %s: %w", key, User(scope), err)
	default:
		t.written.rememberDeleted(scope.Namespace, key, uid)
	}
	return nil
}

func (t *Target) resource(scope target.Scope, key plan.Key) (dynamic.ResourceInterface, error) {
	mapping, err := t.mapping(key.GroupVersionKind)
	if err != nil {
		return nil, err
	}
	client, err := t.clients.as(scope)
	if err != nil {
		return nil, err
	}
	return client.dynamic.Resource(mapping.Resource).Namespace(scope.Namespace), nil
}
