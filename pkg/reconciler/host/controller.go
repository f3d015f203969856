package host

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	hostinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host"
	hostreconciler "spock.dev/spock/pkg/client/injection/reconciler/spock/v1alpha1/host"
	hostlisters "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
	"spock.dev/spock/pkg/reconciler/lease"
	"spock.dev/spock/pkg/target/host"
	"spock.dev/spock/pkg/target/kube"
)

var (
	_ hostreconciler.Interface         = (*Reconciler)(nil)
	_ hostreconciler.Finalizer         = (*Reconciler)(nil)
	_ hostreconciler.ReadOnlyInterface = (*Reconciler)(nil)
)

// NewController wires the reconciler of Hosts to the cluster and the machines.
func NewController(health *lease.Health, fleet *host.Fleet) injection.ControllerConstructor {
	return func(ctx context.Context, _ configmap.Watcher) *controller.Impl {
		var impl *controller.Impl
		ready := make(chan struct{})
		fleet.Listen(func(name types.NamespacedName) {
			<-ready
			impl.EnqueueKey(name)
		})
		impl = newController(ctx, health, fleet, reader(injection.GetConfig(ctx)), clock.RealClock{})
		close(ready)
		return impl
	}
}

func newController(ctx context.Context, health *lease.Health, fleet Fleet, secrets Secrets, c clock.PassiveClock) *controller.Impl {
	environments := environmentinformer.Get(ctx)
	r := &Reconciler{fleet: fleet, secrets: secrets, clock: c, exists: func(name types.NamespacedName) bool {
		_, err := environments.Lister().Environments(name.Namespace).Get(name.Name)
		return err == nil
	}, settling: settling{since: map[types.NamespacedName]time.Time{}}}
	impl := hostreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{FinalizerName: v1alpha1.FinalizerHost}
	})
	impl.Reconciler = &lease.Watched{Health: health, Reconciler: impl.Reconciler.(lease.Reconciler)}
	handlers := controller.HandleAll(impl.Enqueue)
	hosts := hostinformer.Get(ctx)
	gone := cache.ResourceEventHandlerFuncs{DeleteFunc: func(any) { enqueueDeleting(impl, hosts.Lister()) }}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{hosts.Informer(): handlers, environments.Informer(): gone} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			panic(err) // only an informer that has stopped can fail here
		}
	}
	return impl
}

// enqueueDeleting enqueues the Hosts that may have waited for an environment that is gone.
func enqueueDeleting(impl *controller.Impl, hosts hostlisters.HostLister) {
	all, err := hosts.List(labels.Everything())
	if err != nil {
		return // a lister never fails
	}
	for _, h := range all {
		if !h.DeletionTimestamp.IsZero() {
			impl.Enqueue(h)
		}
	}
}

// reader reads Secrets as service accounts: the controller itself may read none.
func reader(config *rest.Config) Secrets {
	return func(ctx context.Context, namespace, serviceAccount, name string) (map[string][]byte, error) {
		client, err := kubernetes.NewForConfig(kube.Impersonate(config, namespace, serviceAccount))
		if err != nil {
			return nil, fmt.Errorf("make a client: %w", err)
		}
		secret, err := client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read secret %s as service account %s: %w", name, serviceAccount, err)
		}
		return secret.Data, nil
	}
}
