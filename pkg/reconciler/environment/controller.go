package environment

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/logging"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	spockclient "spock.dev/spock/pkg/client/injection/client"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	classinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentclass"
	runinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentrun"
	hostinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host"
	productinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product"
	templateinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate"
	environmentreconciler "spock.dev/spock/pkg/client/injection/reconciler/spock/v1alpha1/environment"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/reconciler/lease"
	"spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/target/host"
	"spock.dev/spock/pkg/target/kube"
)

var (
	_ environmentreconciler.Interface = (*Reconciler)(nil)
	_ environmentreconciler.Finalizer = (*Reconciler)(nil)
)

// NewController wires the reconciler of Environments to the cluster.
func NewController(health *lease.Health, fleet *host.Fleet) injection.ControllerConstructor {
	return func(ctx context.Context, _ configmap.Watcher) *controller.Impl {
		config := injection.GetConfig(ctx)
		var impl *controller.Impl
		var r *Reconciler
		ready := make(chan struct{})
		gate := pace.NewGate(time.Now)
		waited := func(env types.NamespacedName) {
			<-ready
			if wait := r.calm(env); wait > 0 {
				r.after(env, wait)
				return
			}
			impl.EnqueueKey(env)
		}
		cluster, err := kube.New(ctx, config, waited, gate.Busy)
		if err != nil {
			logging.FromContext(ctx).Fatalw("Cannot watch the cluster", "error", err)
		}
		homes, err := kube.NewHomes(ctx, config, cluster, waited)
		if err != nil {
			logging.FromContext(ctx).Fatalw("Cannot watch namespaces", "error", err)
		}
		configMaps, err := kube.ConfigMaps(ctx, config)
		if err != nil {
			logging.FromContext(ctx).Fatalw("Cannot watch ConfigMaps", "error", err)
		}
		outside := outside{config, hostinformer.Get(ctx).Lister()}
		machines := host.New(ctx, fleet, host.Door{Image: outside.image, Archive: outside.archive, Known: outside.known, Secret: outside.secret}, sync.OnceValue(func() int64 { return time.Now().UnixMilli() }), waited)
		impl, r = newController(ctx, health, clock.RealClock{}, &engine.Engine{Target: target.Join(cluster, machines), Gate: gate}, homes,
			configMaps, artifact.Door{Secret: outside.pullSecret, Fetch: artifact.Fetch})
		close(ready)
		return impl
	}
}

func newController(ctx context.Context, health *lease.Health, clk clock.PassiveClock, acts *engine.Engine, homes Homes,
	configMaps cache.SharedIndexInformer, registries artifact.Door,
) (*controller.Impl, *Reconciler) {
	r := &Reconciler{
		client:       spockclient.Get(ctx),
		environments: environmentinformer.Get(ctx).Lister(),
		products:     productinformer.Get(ctx).Lister(),
		templates:    templateinformer.Get(ctx).Lister(),
		classes:      classinformer.Get(ctx).Lister(),
		runs:         runinformer.Get(ctx).Lister(),
		hosts:        hostinformer.Get(ctx).Lister(),
		configMaps:   corelisters.NewConfigMapLister(configMaps.GetIndexer()),
		engine:       acts,
		homes:        homes,
		sources:      source.NewCache(maxSources),
		clock:        clk,
	}
	impl := environmentreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{FinalizerName: v1alpha1.FinalizerEnvironment}
	})
	impl.Reconciler = &lease.Watched{Health: health, Reconciler: impl.Reconciler.(lease.Reconciler)}
	r.artifacts = artifact.NewStore(ctx, registries, clk.Now, impl.EnqueueKey)
	r.after = func(key types.NamespacedName, d time.Duration) { impl.EnqueueKeyAfter(key, d) }
	r.memories = newMemories(func(key types.NamespacedName) *engine.Outbox {
		return acts.NewOutbox(ctx, func() { impl.EnqueueKey(key) })
	})
	r.places = &places{taken: map[types.NamespacedName]taken{}, freed: func(namespace string) { r.enqueueUsers(impl, namespace, true) }}
	r.listen(ctx, impl)
	on(configMaps, r.users(impl, func(*v1alpha1.Environment, string) bool { return true })) // as with templates
	return impl, r
}

// dismantling is how long, for each of its services, what moves in an environment that is
// taken down is gathered before a pass looks at it: thousands of objects go, few of which
// let others go.
const dismantling = 200 * time.Microsecond

// calm is how long a pass may wait after something has moved in an environment.
func (r *Reconciler) calm(key types.NamespacedName) time.Duration {
	env, err := r.environments.Environments(key.Namespace).Get(key.Name)
	if err != nil || env.DeletionTimestamp == nil {
		return 0
	}
	return time.Duration(len(env.Status.Services)) * dismantling
}

// listen brings an environment back when it, or what it is made from, changes.
func (r *Reconciler) listen(ctx context.Context, impl *controller.Impl) {
	on(environmentinformer.Get(ctx).Informer(), impl.Enqueue)
	on(productinformer.Get(ctx).Informer(), r.users(impl, func(env *v1alpha1.Environment, name string) bool {
		return env.Spec.Product == name
	}))
	on(classinformer.Get(ctx).Informer(), r.users(impl, func(env *v1alpha1.Environment, name string) bool {
		return env.Spec.Class == name
	}))
	if _, err := hostinformer.Get(ctx).Informer().AddEventHandler(r.hostUsers(impl)); err != nil {
		panic(err) // only an informer that has stopped can fail here
	}
	// Which products use a template is known to render alone; a pass that changes
	// nothing costs no request.
	on(templateinformer.Get(ctx).Informer(), r.users(impl, func(*v1alpha1.Environment, string) bool { return true }))
}

func on(informer cache.SharedIndexInformer, do func(any)) {
	if _, err := informer.AddEventHandler(controller.HandleAll(do)); err != nil {
		panic(err) // only an informer that has stopped can fail here
	}
}

// users enqueues the environments that use an object: those of its namespace, or all
// when it has none.
func (r *Reconciler) users(impl *controller.Impl, uses func(env *v1alpha1.Environment, name string) bool) func(any) {
	return func(obj any) {
		if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		o, err := meta.Accessor(obj)
		if err != nil {
			return
		}
		all, err := r.environments.Environments(o.GetNamespace()).List(labels.Everything())
		if err != nil {
			return // a lister never fails
		}
		for _, env := range all {
			if uses(env, o.GetName()) {
				impl.Enqueue(env)
			}
		}
	}
}
