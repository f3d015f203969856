package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

// byEnvironment is the index of objects by the environment they belong to.
const byEnvironment = "environment"

// watches are shared informers, one per kind, over all environments.
type watches struct {
	done    <-chan struct{}
	factory dynamicinformer.DynamicSharedInformerFactory
	podsIn  *watch
	changed func(types.NamespacedName)
	deleted func(*unstructured.Unstructured)

	mu      sync.Mutex
	kinds   map[schema.GroupVersionKind]*watch
	waiting map[types.NamespacedName][]schema.GroupVersionKind // environments to report, and what each waits for
}

type watch struct {
	informer cache.SharedIndexInformer
	err      error // why the watch does not work, if it does not
}

func newWatches(ctx context.Context, own *client, changed func(types.NamespacedName), deleted func(*unstructured.Unstructured)) *watches {
	ours := func(o *metav1.ListOptions) { o.LabelSelector = v1alpha1.LabelEnvironment }
	pods := informers.NewSharedInformerFactoryWithOptions(own.kube, 0, informers.WithTweakListOptions(ours), informers.WithTransform(trim))
	w := &watches{
		done:    ctx.Done(),
		factory: dynamicinformer.NewFilteredDynamicSharedInformerFactory(own.dynamic, 0, metav1.NamespaceAll, ours),
		podsIn:  &watch{informer: pods.Core().V1().Pods().Informer()},
		changed: changed, deleted: deleted,
		kinds:   map[schema.GroupVersionKind]*watch{},
		waiting: map[types.NamespacedName][]schema.GroupVersionKind{},
	}
	w.run(w.podsIn)
	return w
}

// trim drops the lists of fields that managers own, which make half of an object's size.
// Of what we write they are packed, to see what somebody else has changed. Who wrote when
// stays.
func trim(obj any) (any, error) {
	if o, ok := obj.(*unstructured.Unstructured); ok {
		target.PackFields(o)
		return obj, nil
	}
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
	w.run(this)
}

// must stands for errors that only an informer that runs already can give.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *watches) run(this *watch) {
	must(this.informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *cache.Reflector, err error) {
		cache.DefaultWatchErrorHandler(ctx, r, err)
		w.note(this, err)
	}))
	must(this.informer.AddIndexers(cache.Indexers{byEnvironment: environments}))
	registration, err := this.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { w.moved(obj) },
		UpdateFunc: w.updated,
		DeleteFunc: w.gone,
	})
	must(err)
	go this.informer.Run(w.done)
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

// updated reports both environments of an object that was given to another one.
func (w *watches) updated(before, obj any) {
	was, _ := environmentOf(before)
	if is, ok := environmentOf(obj); ok && is != was {
		w.moved(before)
	}
	w.moved(obj)
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

// note keeps why a watch does not work, and reports the environments that wait; the
// informer goes on trying.
func (w *watches) note(this *watch, err error) {
	w.mu.Lock()
	known := this.err != nil && this.err.Error() == err.Error()
	this.err = err
	waiting := slices.Collect(maps.Keys(w.waiting))
	w.mu.Unlock()
	if known || this.informer.HasSynced() { // what was listed once can be observed
		return
	}
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

// synced fails when the watches of the usual kinds and of those given have not all
// delivered their first list. The environment is reported when they have: a kind that
// only others use does not hold it back.
func (w *watches) synced(env types.NamespacedName, kinds []schema.GroupVersionKind) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ready(kinds) {
		delete(w.waiting, env)
		return nil
	}
	w.waiting[env] = kinds
	for _, kind := range slices.Concat(Usual(), kinds) {
		if err := w.kinds[kind].refusal(kind); err != nil {
			return err
		}
	}
	if err := w.podsIn.refusal(corev1.SchemeGroupVersion.WithKind("Pod")); err != nil {
		return err
	}
	return target.ErrNotSynced
}

// refusal tells why a kind that was never listed cannot be watched.
func (this *watch) refusal(kind schema.GroupVersionKind) error {
	if this == nil || this.informer.HasSynced() || !unwatchable(this.err) {
		return nil
	}
	return &target.KindError{Kind: kind, Err: fmt.Errorf("the controller cannot watch it: %w", this.err)}
}

func (w *watches) ready(kinds []schema.GroupVersionKind) bool {
	for kind := range usual {
		if !w.listed(kind) {
			return false
		}
	}
	return w.podsIn.informer.HasSynced() && !slices.ContainsFunc(kinds, func(kind schema.GroupVersionKind) bool { return !w.listed(kind) })
}

func (w *watches) listed(kind schema.GroupVersionKind) bool {
	this := w.kinds[kind]
	return this != nil && this.informer.HasSynced()
}

// release reports the environments that have waited long enough.
func (w *watches) release() {
	w.mu.Lock()
	var free []types.NamespacedName
	for env, kinds := range w.waiting {
		if w.ready(kinds) {
			free = append(free, env)
			delete(w.waiting, env)
		}
	}
	w.mu.Unlock()
	for _, env := range free {
		w.changed(env)
	}
}

// versions tells up to which resource version each kind was seen.
func (w *watches) versions() map[schema.GroupVersionKind]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := make(map[schema.GroupVersionKind]string, len(w.kinds))
	for kind, this := range w.kinds {
		seen[kind] = this.informer.GetIndexer().LastStoreSyncResourceVersion()
	}
	return seen
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
	return indexed[*corev1.Pod](w.podsIn.informer, env)
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
