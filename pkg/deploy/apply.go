package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
)

// FieldManager owns the fields that a deploy sets on an Environment.
const FieldManager = "spock-deploy"

// ErrRefused marks a request that cannot be granted as it stands, whoever asks.
var ErrRefused = errors.New("refused")

// Apply creates or updates the Environment by server-side apply and returns it as stored;
// its generation is the one to follow. Asking twice for the same changes nothing. An
// Environment of another product or class, or one that is being torn down, is left alone
// and the error wraps ErrRefused; so it does when the images are to be taken from an
// Environment that cannot be released.
func Apply(ctx context.Context, client versioned.Interface, request Request) (*v1alpha1.Environment, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	request, err := Resolve(ctx, client, request)
	if err != nil {
		return nil, err
	}
	environments := client.SpockV1alpha1().Environments(request.Namespace)
	existing, err := environments.Get(ctx, request.Environment, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		existing = nil
	} else if err != nil {
		return nil, fmt.Errorf("read environment %s/%s: %w", request.Namespace, request.Environment, err)
	}
	wanted, err := request.Manifest(existing)
	if err != nil {
		return nil, err
	}
	stored, err := environments.Patch(ctx, request.Environment, types.ApplyPatchType, wanted,
		metav1.PatchOptions{FieldManager: FieldManager, Force: ptr.To(true)})
	if err != nil {
		return nil, fmt.Errorf("apply environment %s/%s: %w", request.Namespace, request.Environment, err)
	}
	return stored, nil
}

// Manifest is the apply request for the wish, given the Environment as it is, or nil.
// Errors wrap ErrRefused.
func (r Request) Manifest(existing *v1alpha1.Environment) ([]byte, error) {
	if problem := r.conflict(existing); problem != "" {
		return nil, fmt.Errorf("environment %s/%s: %s: %w", r.Namespace, r.Environment, problem, ErrRefused)
	}
	spec := map[string]any{
		"product": r.Product, "class": r.Class,
		// Written even when false: a cancelled deploy left it true under another manager.
		"suspend": false,
	}
	// An empty layer is left out: the merge would make null of it once its fields go.
	if attempt := r.attempt(existing); attempt != "" || r.Source != "" || r.PlanDigest != "" || len(r.Services) > 0 {
		spec["run"] = v1alpha1.RunLayer{Attempt: attempt, Source: r.Source, PlanDigest: r.PlanDigest, Services: r.Services}
	}
	if r.ServiceAccount != "" {
		spec["serviceAccountName"] = r.ServiceAccount
	}
	if len(r.Parameters) > 0 {
		spec["parameters"] = r.Parameters
	}
	return json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(),
		"kind":       "Environment",
		"metadata":   map[string]any{"name": r.Environment, "namespace": r.Namespace},
		"spec":       spec,
	})
}

func (r Request) conflict(existing *v1alpha1.Environment) string {
	switch {
	case existing == nil:
		return ""
	case existing.DeletionTimestamp != nil:
		return "it is being torn down; wait until it is gone and deploy again, or choose another name"
	case existing.Spec.Product != r.Product:
		return fmt.Sprintf("it is an instance of product %s, not %s; choose another name, or delete it first", existing.Spec.Product, r.Product)
	case existing.Spec.Class != r.Class:
		return fmt.Sprintf("its class is %s, not %s, and a class cannot change; choose another name, or delete it first", existing.Spec.Class, r.Class)
	}
	return ""
}

// attempt keeps the attempt that is there, so that asking again is no change, and takes a
// new one when the last attempt at this generation failed.
func (r Request) attempt(existing *v1alpha1.Environment) string {
	if existing == nil {
		return ""
	}
	if Settled(existing, existing.Generation) && existing.Status.Phase == v1alpha1.PhaseFailed && r.Attempt != "" {
		return r.Attempt
	}
	if existing.Spec.Run == nil {
		return ""
	}
	return existing.Spec.Run.Attempt
}
