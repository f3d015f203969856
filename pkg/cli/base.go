package cli

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// fieldManager owns what a file or --only says. It is not the one of deploys, so that
// the next deploy leaves it alone.
const fieldManager = "spock-cli"

// writeBase writes what the environment is beneath the deploy: the spec of a file, and
// the services it is restricted to.
func writeBase(ctx context.Context, cluster *Cluster, w *wish, r deploy.Request, document, existing *v1alpha1.Environment) error {
	var only []string // none at all, and not an empty set, when the restriction is lifted
	if len(w.only) > 0 {
		only = w.only
	}
	switch {
	case document != nil:
		spec, err := specOf(document, w)
		if err != nil {
			return err
		}
		return applyBase(ctx, cluster, r, spec, existing == nil)
	case !w.restrict || existing == nil && only == nil:
		return nil
	case existing == nil:
		return applyBase(ctx, cluster, r, map[string]any{"product": r.Product, "class": r.Class, "only": only}, true)
	}
	// A patch replaces the set as a whole, whoever wrote it.
	body, err := json.Marshal(map[string]any{"spec": map[string]any{"only": only}})
	if err != nil {
		return fmt.Errorf("encode the services %v: %w", only, err)
	}
	_, err = cluster.Spock.SpockV1alpha1().Environments(r.Namespace).Patch(ctx, r.Environment, types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil {
		return fmt.Errorf("restrict environment %s/%s to %v: %w", r.Namespace, r.Environment, only, err)
	}
	return nil
}

func specOf(document *v1alpha1.Environment, w *wish) (map[string]any, error) {
	spec := document.Spec
	spec.Product, spec.Class = w.product, w.class
	if w.restrict {
		spec.Only = w.only
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode the spec of %s: %w", called(w.file), err)
	}
	var out map[string]any
	return out, json.Unmarshal(text, &out)
}

// applyBase writes a spec. A new environment is suspended until the deploy that follows
// at once has said its images: nothing starts with the wrong ones.
func applyBase(ctx context.Context, cluster *Cluster, r deploy.Request, spec map[string]any, isNew bool) error {
	if isNew {
		spec["suspend"] = true
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(),
		"kind":       "Environment",
		"metadata":   map[string]any{"name": r.Environment, "namespace": r.Namespace},
		"spec":       spec,
	})
	if err != nil {
		return fmt.Errorf("encode environment %s/%s: %w", r.Namespace, r.Environment, err)
	}
	_, err = cluster.Spock.SpockV1alpha1().Environments(r.Namespace).Patch(ctx, r.Environment, types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager, Force: ptr.To(true)})
	if err != nil {
		return explain(fmt.Errorf("apply environment %s/%s: %w", r.Namespace, r.Environment, err))
	}
	return nil
}
