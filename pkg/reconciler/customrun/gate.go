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
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/reconciler/lease"
)

// generated is the generated reconciler.
type generated interface {
	lease.Reconciler
	IsLeaderFor(key types.NamespacedName) bool
}

// gate stands before the generated reconciler, which would put a finalizer on, and
// write a condition into, whatever key it is given: CustomRuns of other controllers,
// finished ones and copies that are out of date do not get through. A finished one is
// freed of our finalizer, so that nobody needs us to delete it.
type gate struct {
	generated
	runs      tektonlisters.CustomRunLister
	client    tektonclient.Interface
	memory    *memory
	telemetry *telemetry
}

// Reconcile implements controller.Reconciler.
func (g *gate) Reconcile(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return nil //nolint:nilerr // the generated reconciler would drop it too: no retry makes a key valid
	}
	if !g.IsLeaderFor(types.NamespacedName{Namespace: namespace, Name: name}) {
		return controller.NewSkipKey(key)
	}
	run, err := g.runs.CustomRuns(namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("get CustomRun %s: %w", key, err)
	case !ours(run):
		return nil
	case run.IsDone() && run.DeletionTimestamp == nil:
		g.memory.forget(run.UID)
		return g.free(ctx, run)
	}
	behind, err := g.behind(ctx, run)
	if err != nil || behind {
		return err
	}
	return g.pass(ctx, key, run)
}

// pass lets a CustomRun through, and tells of what ended once it is stored.
func (g *gate) pass(ctx context.Context, key string, run *v1beta1.CustomRun) error {
	if err := g.generated.Reconcile(ctx, key); err != nil {
		return err
	}
	if e := g.memory.ended(run.UID); e != nil {
		g.telemetry.tell(ctx, *e)
	}
	if run.DeletionTimestamp != nil {
		g.memory.forget(run.UID)
	}
	return nil
}

// behind says whether the cluster has a newer copy than ours. Its event is on the way,
// and brings the run back.
func (g *gate) behind(ctx context.Context, run *v1beta1.CustomRun) (bool, error) {
	if !g.memory.newer(run) {
		return false, nil
	}
	live, err := g.client.TektonV1beta1().CustomRuns(run.Namespace).Get(ctx, run.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("get CustomRun %s/%s: %w", run.Namespace, run.Name, err)
	case live.UID != run.UID || !g.memory.newer(live):
		return true, nil
	}
	g.memory.forget(run.UID) // what we remember was never stored
	return false, nil
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
