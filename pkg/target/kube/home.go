package kube

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
)

// Homes makes and removes the namespaces of environments, with the controller's own
// rights. It is safe for concurrent use.
type Homes struct {
	own        *client
	target     *Target
	namespaces cache.SharedIndexInformer

	mu       sync.Mutex
	prepared map[string]stand // by namespace
}

// stand is what we know of a namespace that we made or furnished, ahead of the watch.
type stand struct {
	uid         types.UID // of the namespace
	version     string    // of the namespace when we made or found it
	environment types.UID
	hash        string // of its scaffold; empty before it is furnished
	at          time.Time
}

// ForeignError says that a namespace exists and is not the environment's.
type ForeignError struct {
	Namespace string
	// Going: it is being removed already.
	Going bool
}

// Error names the namespace and the remedy.
func (e *ForeignError) Error() string {
	if e.Going {
		return fmt.Sprintf("namespace %s was not made for this environment and is being removed: wait until it is gone, or give the environment another name", e.Namespace)
	}
	return fmt.Sprintf("namespace %s exists and was not made for this environment: remove it, or give the environment another name", e.Namespace)
}

// Foreign marks the error for callers that only know its meaning.
func (e *ForeignError) Foreign() bool { return true }

// NewHomes starts to watch the namespaces of environments.
func NewHomes(ctx context.Context, config *rest.Config, t *Target, changed func(types.NamespacedName)) (*Homes, error) {
	own, err := newClient(unthrottled(config))
	if err != nil {
		return nil, err
	}
	return newHomes(ctx, own, t, changed)
}

func newHomes(ctx context.Context, own *client, t *Target, changed func(types.NamespacedName)) (*Homes, error) {
	ours := func(o *metav1.ListOptions) { o.LabelSelector = v1alpha1.LabelEnvironment }
	factory := informers.NewSharedInformerFactoryWithOptions(own.kube, 0, informers.WithTweakListOptions(ours), informers.WithTransform(trim))
	h := &Homes{
		own: own, target: t, prepared: map[string]stand{},
		namespaces: factory.Core().V1().Namespaces().Informer(),
	}
	report := func(obj any) {
		if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		if env, ok := environmentOf(obj); ok {
			changed(env)
		}
	}
	_, err := h.namespaces.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: report, UpdateFunc: func(_, obj any) { report(obj) },
		DeleteFunc: func(obj any) { h.forget(obj); report(obj) },
	})
	must(err)
	go h.namespaces.Run(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), h.namespaces.HasSynced) {
		return nil, fmt.Errorf("list the namespaces of environments: %w", context.Cause(ctx))
	}
	return h, nil
}

// Prepare makes the namespace of a scope as the scaffold says. ready is false while an
// older namespace of the name is still going. An up-to-date one costs no request.
func (h *Homes) Prepare(ctx context.Context, scope target.Scope, want *scaffold.Scaffold) (ready bool, err error) {
	if s, ok := h.ahead(scope); ok && s.hash == want.Hash {
		return true, nil
	}
	ns, err := h.ensure(ctx, scope, want)
	if err != nil {
		return false, err
	}
	if ns.DeletionTimestamp != nil {
		return false, nil
	}
	if ns.Annotations[scaffold.AnnotationHash] == want.Hash || h.stands(ns, want.Hash) {
		return true, nil
	}
	if err := h.furnish(ctx, scope, ns, want); err != nil {
		return false, err
	}
	h.remember(scope, ns, want.Hash)
	return true, nil
}

func (h *Homes) remember(scope target.Scope, ns *corev1.Namespace, hash string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prepared[ns.Name] = stand{uid: ns.UID, version: ns.ResourceVersion, environment: scope.UID, hash: hash, at: time.Now()}
}

// forget drops what is known of a namespace that is gone.
func (h *Homes) forget(obj any) {
	if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	ns, ok := obj.(*corev1.Namespace)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.prepared[ns.Name].uid == ns.UID {
		delete(h.prepared, ns.Name)
	}
}

// Fresh says whether the scaffold was written so lately that the cluster may not know
// all of its rights yet.
func (h *Homes) Fresh(namespace string, now time.Time) bool {
	const settling = 5 * time.Second
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.prepared[namespace].at) < settling
}

func (h *Homes) stands(ns *corev1.Namespace, hash string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.prepared[ns.Name]
	return s.uid == ns.UID && s.hash == hash
}

// ahead tells what we know of an environment's namespace that the watch has not seen.
func (h *Homes) ahead(scope target.Scope) (stand, bool) {
	seen := h.namespaces.GetIndexer().LastStoreSyncResourceVersion() // before the watch is asked
	if h.get(scope.Namespace) != nil {
		return stand{}, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.prepared[scope.Namespace]
	if ok && reached(seen, s.version) { // it came and went while nobody watched
		delete(h.prepared, scope.Namespace)
		return stand{}, false
	}
	return s, ok && s.environment == scope.UID
}

func (h *Homes) ensure(ctx context.Context, scope target.Scope, want *scaffold.Scaffold) (*corev1.Namespace, error) {
	ns := h.get(scope.Namespace)
	if ns == nil {
		made, err := h.own.kube.CoreV1().Namespaces().Create(ctx, want.Namespace, metav1.CreateOptions{FieldManager: v1alpha1.FieldManager})
		if apierrors.IsAlreadyExists(err) {
			made, err = h.own.kube.CoreV1().Namespaces().Get(ctx, scope.Namespace, metav1.GetOptions{})
		}
		if err != nil {
			return nil, fmt.Errorf("create namespace %s: %w", scope.Namespace, err)
		}
		ns = made
		if homeOf(scope, ns) {
			h.remember(scope, ns, "")
		}
	}
	// The end of a predecessor's namespace is reported; that of any other is not.
	going := ns.DeletionTimestamp != nil
	if env, _ := environmentOf(ns); !homeOf(scope, ns) && (!going || env != scope.Environment) {
		return nil, &ForeignError{Namespace: ns.Name, Going: going}
	}
	return ns, nil
}

func homeOf(scope target.Scope, ns *corev1.Namespace) bool {
	return ns.Annotations[v1alpha1.AnnotationEnvironmentUID] == string(scope.UID)
}

func (h *Homes) get(name string) *corev1.Namespace {
	obj, ok, err := h.namespaces.GetStore().GetByKey(name)
	must(err)
	if !ok {
		return nil
	}
	return obj.(*corev1.Namespace)
}

// Remove deletes the namespace of a scope; gone says that none of the environment's is
// left.
func (h *Homes) Remove(ctx context.Context, scope target.Scope) (gone bool, err error) {
	if !h.Exists(scope) {
		return true, nil
	}
	ns := h.get(scope.Namespace)
	if ns == nil || ns.DeletionTimestamp != nil {
		return false, nil // the watch will tell
	}
	err = h.own.kube.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &ns.UID}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return false, fmt.Errorf("delete namespace %s: %w", ns.Name, err)
	}
	return false, nil
}

// Exists says whether the environment of a scope has a namespace, or had one a moment
// ago that the watch has not seen yet.
func (h *Homes) Exists(scope target.Scope) bool {
	if ns := h.get(scope.Namespace); ns != nil {
		return homeOf(scope, ns)
	}
	_, ok := h.ahead(scope)
	return ok
}
