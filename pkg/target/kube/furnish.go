package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
)

// furnish writes what stands in a namespace, takes away what stood there and is not
// wanted any more, and last marks that it is done.
func (h *Homes) furnish(ctx context.Context, scope target.Scope, ns *corev1.Namespace, want *scaffold.Scaffold) error {
	for _, o := range want.Objects {
		if err := h.place(ctx, o); err != nil {
			return err
		}
	}
	for _, id := range strings.Fields(ns.Annotations[scaffold.AnnotationObjects]) {
		if !slices.Contains(want.IDs(), id) {
			if err := h.withdraw(ctx, ns.Name, id); err != nil {
				return err
			}
		}
	}
	if err := h.makeSecrets(ctx, scope, want.Secrets); err != nil {
		return err
	}
	return h.mark(ctx, ns.Name, want)
}

func (h *Homes) place(ctx context.Context, o *unstructured.Unstructured) error {
	body, err := json.Marshal(o.Object)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	client, err := h.in(o.GetNamespace(), o.GroupVersionKind())
	if err != nil {
		return err
	}
	force := true
	_, err = client.Patch(ctx, o.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: v1alpha1.FieldManager, Force: &force})
	if err != nil {
		return fmt.Errorf("apply %s %s in namespace %s: %w", o.GetKind(), o.GetName(), o.GetNamespace(), err)
	}
	return nil
}

func (h *Homes) withdraw(ctx context.Context, namespace, id string) error {
	kind, name, err := scaffold.ParseID(id)
	if err != nil {
		return fmt.Errorf("read what stands in namespace %s: %w", namespace, err)
	}
	client, err := h.in(namespace, kind)
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s in namespace %s: %w", kind.Kind, name, namespace, err)
	}
	return nil
}

func (h *Homes) in(namespace string, kind schema.GroupVersionKind) (dynamic.ResourceInterface, error) {
	mapping, err := h.target.mapping(kind)
	if err != nil {
		return nil, err
	}
	return h.own.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

func (h *Homes) mark(ctx context.Context, namespace string, want *scaffold.Scaffold) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		scaffold.AnnotationHash:    want.Hash,
		scaffold.AnnotationObjects: strings.Join(want.IDs(), " "),
	}}})
	if err != nil {
		return fmt.Errorf("encode the mark of namespace %s: %w", namespace, err)
	}
	_, err = h.own.kube.CoreV1().Namespaces().Patch(ctx, namespace, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: v1alpha1.FieldManager})
	if err != nil {
		return fmt.Errorf("mark namespace %s: %w", namespace, err)
	}
	return nil
}
