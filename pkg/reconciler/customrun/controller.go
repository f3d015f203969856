package customrun

import (
	"context"
	"time"

	tektonclient "github.com/tektoncd/pipeline/pkg/client/injection/client"
	customruninformer "github.com/tektoncd/pipeline/pkg/client/injection/informers/pipeline/v1beta1/customrun"
	customrunreconciler "github.com/tektoncd/pipeline/pkg/client/injection/reconciler/pipeline/v1beta1/customrun"
	"go.opentelemetry.io/otel"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
	spockclient "spock.dev/spock/pkg/client/injection/client"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	"spock.dev/spock/pkg/reconciler/lease"
	"spock.dev/spock/pkg/target/kube"
)

var (
	_ customrunreconciler.Interface = (*Reconciler)(nil)
	_ customrunreconciler.Finalizer = (*Reconciler)(nil)
)

// NewController wires the reconciler of CustomRuns.
func NewController(health *lease.Health) injection.ControllerConstructor {
	return func(ctx context.Context, _ configmap.Watcher) *controller.Impl {
		config := injection.GetConfig(ctx)
		tell := newTelemetry(otel.GetMeterProvider(), otel.GetTracerProvider())
		return newController(ctx, health, clock.RealClock{}, tell, func(namespace, serviceAccount string) (versioned.Interface, error) {
			return impersonated(config, namespace, serviceAccount)
		})
	}
}

func impersonated(config *rest.Config, namespace, serviceAccount string) (versioned.Interface, error) {
	return versioned.NewForConfig(kube.Impersonate(config, namespace, serviceAccount))
}

func newController(ctx context.Context, health *lease.Health, clk clock.PassiveClock, tell *telemetry, clients Clients) *controller.Impl {
	runs := customruninformer.Get(ctx)
	environments := environmentinformer.Get(ctx)
	r := &Reconciler{
		runs:         runs.Lister(),
		environments: environments.Lister(),
		client:       spockclient.Get(ctx),
		tekton:       tektonclient.Get(ctx),
		clients:      clients,
		clock:        clk,
		memory:       newMemory(),
	}
	mine := func(obj any) bool {
		if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		return isOurs(obj)
	}
	impl := customrunreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{
			FinalizerName: v1alpha1.FinalizerCustomRun,
			// Without it every CustomRun of the cluster is reconciled on promotion.
			PromoteFilterFunc: mine,
		}
	})
	impl.Reconciler = &lease.Watched{Health: health, Reconciler: &gate{
		generated: impl.Reconciler.(generated), runs: r.runs, client: r.tekton, memory: r.memory, telemetry: tell,
	}}
	r.tracker = impl.Tracker
	r.after = func(key types.NamespacedName, d time.Duration) { impl.EnqueueKeyAfter(key, d) }

	_, err := runs.Informer().AddEventHandler(cache.FilteringResourceEventHandler{FilterFunc: mine, Handler: controller.HandleAll(impl.Enqueue)})
	must(err)
	_, err = environments.Informer().AddEventHandler(controller.HandleAll(controller.EnsureTypeMeta(
		impl.Tracker.OnChanged, v1alpha1.SchemeGroupVersion.WithKind("Environment"))))
	must(err)
	return impl
}

// must stands for errors that only an informer that has stopped can give.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
