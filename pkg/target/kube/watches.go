package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

// usual are the kinds watched from the start, so that what an environment owns is
// known after a restart before any plan is.
var usual = map[schema.GroupVersionKind]schema.GroupVersionResource{
	{Group: "apps", Version: "v1", Kind: "Deployment"}:           {Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Kind: "StatefulSet"}:          {Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Kind: "DaemonSet"}:            {Group: "apps", Version: "v1", Resource: "daemonsets"},
	{Group: "batch", Version: "v1", Kind: "Job"}:                 {Group: "batch", Version: "v1", Resource: "jobs"},
	{Version: "v1", Kind: "Service"}:                             {Version: "v1", Resource: "services"},
	{Version: "v1", Kind: "ConfigMap"}:                           {Version: "v1", Resource: "configmaps"},
	{Version: "v1", Kind: "PersistentVolumeClaim"}:               {Version: "v1", Resource: "persistentvolumeclaims"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}: {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
}

// Usual returns the kinds that Spock makes itself, sorted: those that an earlier plan
// may have written though the present one does not.
func Usual() []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(usual), func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
}

// byEnvironment is the index of objects by the environment they belong to.
const byEnvironment = "environment"

// watches are shared informers, one per kind, over all environments.
type watches struct {
	done    <-chan struct{}
	factory dynamicinformer.DynamicSharedInformerFactory
	podInf  cache.SharedIndexInformer
	changed func(types.NamespacedName)
	deleted func(*unstructured.Unstructured)

	mu      sync.Mutex
	kinds   map[schema.GroupVersionKind]*watch
	waiting map[types.NamespacedName]bool // environments to report when all is in sync
}

type watch struct {
	informer cache.SharedIndexInformer
	err      error // why the watch does not work, if it does not
}

func newWatches(ctx context.Context, config *rest.Config, changed func(types.NamespacedName), deleted func(*unstructured.Unstructured)) (*watches, error) {
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a dynamic client: %w", err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	ours := func(o *metav1.ListOptions) { o.LabelSelector = v1alpha1.LabelEnvironment }
	pods := informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithTweakListOptions(ours), informers.WithTransform(trim))
	w := &watches{
		done:    ctx.Done(),
		factory: dynamicinformer.NewFilteredDynamicSharedInformerFactory(dyn, 0, metav1.NamespaceAll, ours),
		podInf:  pods.Core().V1().Pods().Informer(),
		changed: changed, deleted: deleted,
		kinds:   map[schema.GroupVersionKind]*watch{},
		waiting: map[types.NamespacedName]bool{},
	}
	w.run(w.podInf)
	return w, nil
}

// trim drops the lists of fields that managers own: nobody reads them, and they make
// half of an object's size. Who wrote when stays.
func trim(obj any) (any, error) {
	o, err := meta.Accessor(obj)
	if err != nil {
		return obj, nil //nolint:nilerr // what is no object has nothing to trim
	}
	managers := o.GetManagedFields()
	for i := range managers {
		managers[i].FieldsV1 = nil
	}
	o.SetManagedFields(managers)
	return obj, nil
}

// start watches a kind, unless it is watched already.
func (w *watches) start(kind schema.GroupVersionKind, resource schema.GroupVersionResource) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.kinds[kind]; ok {
		return
	}
	this := &watch{informer: w.factory.ForResource(resource).Informer()}
	w.kinds[kind] = this
	must(this.informer.SetTransform(trim))
	must(this.informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *cache.Reflector, err error) {
		cache.DefaultWatchErrorHandler(ctx, r, err)
		w.note(this, err)
	}))
	w.run(this.informer)
}

// must stands for errors that only an informer that runs already can give.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *watches) run(informer cache.SharedIndexInformer) {
	must(informer.AddIndexers(cache.Indexers{byEnvironment: environments}))
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { w.moved(obj) },
		UpdateFunc: func(_, obj any) { w.moved(obj) },
		DeleteFunc: w.gone,
	})
	must(err)
	go informer.Run(w.done)
	go func() {
		if cache.WaitForCacheSync(w.done, registration.HasSynced) {
			w.release()
		}
	}()
}

func environments(obj any) ([]string, error) {
	if env, ok := environmentOf(obj); ok {
		return []string{env.String()}, nil
	}
	return nil, nil
}

func environmentOf(obj any) (types.NamespacedName, bool) {
	o, err := meta.Accessor(obj)
	if err != nil {
		return types.NamespacedName{}, false
	}
	l := o.GetLabels()
	env := types.NamespacedName{Namespace: l[v1alpha1.LabelEnvironmentNamespace], Name: l[v1alpha1.LabelEnvironment]}
	return env, env.Namespace != "" && env.Name != ""
}

func (w *watches) moved(obj any) {
	if env, ok := environmentOf(obj); ok {
		w.changed(env)
	}
}

func (w *watches) gone(obj any) {
	if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	if o, ok := obj.(*unstructured.Unstructured); ok {
		w.deleted(o)
	}
	w.moved(obj)
}

// note keeps why a watch does not work; the informer goes on trying.
func (w *watches) note(this *watch, err error) {
	w.mu.Lock()
	this.err = err
	waiting := slices.Collect(maps.Keys(w.waiting))
	w.mu.Unlock()
	for _, env := range waiting {
		w.changed(env)
	}
}

func (w *watches) has(kind schema.GroupVersionKind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.kinds[kind]
	return ok
}

// trouble tells why a kind that was never listed cannot be watched.
func (w *watches) trouble(kind schema.GroupVersionKind) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	this := w.kinds[kind]
	if this.informer.HasSynced() || this.err == nil {
		return nil
	}
	return &target.KindError{Kind: kind, Err: fmt.Errorf("the controller cannot watch it: %w", this.err)}
}

// synced says whether all watches have delivered their first list. If not, the
// environment is reported when they have.
func (w *watches) synced(env types.NamespacedName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.allSynced() {
		return true
	}
	w.waiting[env] = true
	return false
}

func (w *watches) allSynced() bool {
	for _, this := range w.kinds {
		if !this.informer.HasSynced() {
			return false
		}
	}
	return w.podInf.HasSynced()
}

func (w *watches) release() {
	w.mu.Lock()
	if !w.allSynced() {
		w.mu.Unlock()
		return
	}
	waiting := w.waiting
	w.waiting = map[types.NamespacedName]bool{}
	w.mu.Unlock()
	for env := range waiting {
		w.changed(env)
	}
}

func (w *watches) objects(env types.NamespacedName) []*unstructured.Unstructured {
	w.mu.Lock()
	kinds := slices.Collect(maps.Values(w.kinds))
	w.mu.Unlock()
	var objects []*unstructured.Unstructured
	for _, this := range kinds {
		objects = append(objects, indexed[*unstructured.Unstructured](this.informer, env)...)
	}
	return objects
}

func (w *watches) pods(env types.NamespacedName) []*corev1.Pod {
	return indexed[*corev1.Pod](w.podInf, env)
}

func indexed[T any](informer cache.SharedIndexInformer, env types.NamespacedName) []T {
	found, err := informer.GetIndexer().ByIndex(byEnvironment, env.String())
	must(err)
	out := make([]T, 0, len(found))
	for _, obj := range found {
		if o, ok := obj.(T); ok {
			out = append(out, o)
		}
	}
	return out
}
