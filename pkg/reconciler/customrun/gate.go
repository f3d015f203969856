package customrun

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	tektonclient "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	tektonlisters "github.com/tektoncd/pipeline/pkg/client/listers/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/reconciler/lease"
)

// gate stands before the generated reconciler, which would put a finalizer on, and
// write a condition into, whatever key it is given: CustomRuns of other controllers
// and finished ones do not get through. A finished one is freed of our finalizer, so
// that nobody needs us to delete it.
type gate struct {
	lease.Reconciler
	runs   tektonlisters.CustomRunLister
	client tektonclient.Interface
}

// Reconcile implements controller.Reconciler.
func (g *gate) Reconcile(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return nil //nolint:nilerr // the generated reconciler would drop it too: no retry makes a key valid
	}
	run, err := g.runs.CustomRuns(namespace).Get(name)
	switch {
	case err != nil:
		return g.Reconciler.Reconcile(ctx, key)
	case !ours(run):
		return nil
	case run.IsDone() && run.DeletionTimestamp == nil:
		return g.free(ctx, run)
	}
	return g.Reconciler.Reconcile(ctx, key)
}

func (g *gate) free(ctx context.Context, run *v1beta1.CustomRun) error {
	if !slices.Contains(run.Finalizers, v1alpha1.FinalizerCustomRun) {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(run.Finalizers), func(f string) bool { return f == v1alpha1.FinalizerCustomRun })
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"finalizers": rest, "resourceVersion": run.ResourceVersion}})
	if err != nil {
		return fmt.Errorf("encode the finalizers of CustomRun %s: %w", run.Name, err)
	}
	_, err = g.client.TektonV1beta1().CustomRuns(run.Namespace).Patch(ctx, run.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the finalizer of CustomRun %s: %w", run.Name, err)
	}
	return nil
}
