package customrun

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	faketekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned/fake"
	faketektonclient "github.com/tektoncd/pipeline/pkg/client/injection/client/fake"
	customruninformer "github.com/tektoncd/pipeline/pkg/client/injection/informers/pipeline/v1beta1/customrun"
	_ "github.com/tektoncd/pipeline/pkg/client/injection/informers/pipeline/v1beta1/customrun/fake"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clienttesting "k8s.io/client-go/testing"
	events "k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
	fakespock "spock.dev/spock/pkg/client/clientset/versioned/fake"
	fakespockclient "spock.dev/spock/pkg/client/injection/client/fake"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment/fake"
	"spock.dev/spock/pkg/reconciler/lease"
)

const (
	namespace = "team-a"
	runName   = "pr-1-deploy"
	runKey    = namespace + "/" + runName
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// lab is a reconciler in front of a small cluster. Its listers see the cluster only
// when catchUp is called; pass does that first.
type lab struct {
	t       *testing.T
	ctx     context.Context
	cancel  context.CancelFunc
	impl    *controller.Impl
	health  *lease.Health
	clock   *clocktesting.FakePassiveClock
	tekton  *faketekton.Clientset
	spock   *fakespock.Clientset // the controller's own
	user    *fakespock.Clientset // impersonated
	as      []string             // whom it was made for
	events  *events.FakeRecorder
	metrics *metric.ManualReader
	spans   *tracetest.InMemoryExporter
}

func newLab(t *testing.T, runs ...*v1beta1.CustomRun) *lab {
	t.Helper()
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return logging.WithLogger(ctx, zap.NewNop().Sugar())
	})
	t.Cleanup(cancel)
	l := &lab{
		t: t, ctx: ctx, cancel: cancel, health: &lease.Health{},
		clock:  clocktesting.NewFakePassiveClock(start),
		tekton: faketektonclient.Get(ctx),
		spock:  fakespockclient.Get(ctx),
		events: controller.GetEventRecorder(ctx).(*events.FakeRecorder),
		spans:  tracetest.NewInMemoryExporter(),
	}
	l.user = fakespock.NewSimpleClientset()
	l.user.PrependReactor("*", "*", clienttesting.ObjectReaction(l.spock.Tracker()))
	emulate(l)
	for _, run := range runs {
		l.must(l.tekton.Tracker().Add(run))
	}
	l.restart()
	return l
}

// restart replaces the reconciler by one that remembers nothing.
func (l *lab) restart() {
	l.t.Helper()
	l.metrics = metric.NewManualReader()
	meters := metric.NewMeterProvider(metric.WithReader(l.metrics))
	tracers := trace.NewTracerProvider(trace.WithSyncer(l.spans))
	l.impl = newController(l.ctx, l.health, l.clock, newTelemetry(meters, tracers), func(namespace, serviceAccount string) (versioned.Interface, error) {
		l.as = append(l.as, namespace+"/"+serviceAccount)
		return l.user, nil
	})
	l.must(l.leader().Promote(reconciler.UniversalBucket(), nil))
}

func (l *lab) leader() reconciler.LeaderAware { return l.impl.Reconciler.(reconciler.LeaderAware) }

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// catchUp brings the listers up to the cluster.
func (l *lab) catchUp() {
	l.t.Helper()
	runs, err := l.tekton.TektonV1beta1().CustomRuns("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	var objects []any
	for i := range runs.Items {
		objects = append(objects, &runs.Items[i])
	}
	l.must(customruninformer.Get(l.ctx).Informer().GetIndexer().Replace(objects, ""))
	environments, err := l.spock.SpockV1alpha1().Environments("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	objects = nil
	for i := range environments.Items {
		objects = append(objects, &environments.Items[i])
	}
	l.must(environmentinformer.Get(l.ctx).Informer().GetIndexer().Replace(objects, ""))
}

// pass reconciles the run once, as the generated reconciler does.
func (l *lab) pass() {
	l.t.Helper()
	l.must(l.tryPass())
}

func (l *lab) tryPass() error {
	l.t.Helper()
	l.catchUp()
	return l.stalePass()
}

// stalePass reconciles the run by what the listers had before.
func (l *lab) stalePass() error { return l.impl.Reconciler.Reconcile(l.ctx, runKey) }

// run is the CustomRun as the cluster has it.
func (l *lab) run() *v1beta1.CustomRun {
	l.t.Helper()
	run, err := l.tekton.TektonV1beta1().CustomRuns(namespace).Get(l.ctx, runName, metav1.GetOptions{})
	l.must(err)
	return run
}

// edit changes the run's spec or metadata as a user would: its generation moves.
func (l *lab) edit(change func(*v1beta1.CustomRun)) {
	l.t.Helper()
	run := l.run().DeepCopy()
	change(run)
	run.Generation++
	run.ResourceVersion = bumped(run.ResourceVersion)
	l.must(l.tekton.Tracker().Update(v1beta1.SchemeGroupVersion.WithResource("customruns"), run, namespace))
}

// environment is the Environment as the cluster has it.
func (l *lab) environment() *v1alpha1.Environment {
	l.t.Helper()
	env, err := l.spock.SpockV1alpha1().Environments(namespace).Get(l.ctx, "shop", metav1.GetOptions{})
	l.must(err)
	return env
}

// engine lets the engine tell of the environment's present generation.
func (l *lab) engine(tell func(*v1alpha1.Environment)) {
	l.t.Helper()
	env := l.environment().DeepCopy()
	env.Status.ObservedGeneration = env.Generation
	env.Status.Namespace, env.Status.Run = "team-a-shop", fmt.Sprintf("shop-%d", env.Generation)
	env.Status.URL = "http://web.shop.dev.example.com"
	env.Status.Services = []v1alpha1.ServiceStatus{
		{Name: "orders", State: v1alpha1.ServiceReady, Image: "r/orders@sha256:01"},
		{Name: "web", State: v1alpha1.ServiceReady, Image: "r/web@sha256:02"},
	}
	tell(env)
	l.put(env)
}

// put writes an environment past everything that watches writes.
func (l *lab) put(env *v1alpha1.Environment) {
	l.t.Helper()
	env.ResourceVersion = bumped(env.ResourceVersion)
	l.must(l.store(env))
}

// store creates or replaces an environment.
func (l *lab) store(env *v1alpha1.Environment) error {
	err := l.spock.Tracker().Create(environments, env, env.Namespace)
	if apierrors.IsAlreadyExists(err) {
		err = l.spock.Tracker().Update(environments, env, env.Namespace)
	}
	return err
}

// writes are the requests so far that were more than a look, and forgets them.
func (l *lab) writes() []string {
	var all []string
	for _, client := range []struct {
		who  string
		fake *clienttesting.Fake
	}{{"tekton", &l.tekton.Fake}, {"controller", &l.spock.Fake}, {"user", &l.user.Fake}} {
		for _, action := range client.fake.Actions() {
			switch action.GetVerb() {
			case "get", "list", "watch":
				continue
			}
			what := client.who + " " + action.GetVerb() + " " + action.GetResource().Resource
			if sub := action.GetSubresource(); sub != "" {
				what += "/" + sub
			}
			all = append(all, what)
		}
		client.fake.ClearActions()
	}
	return all
}

// deployRun is a CustomRun of the Deploy kind, as a pipeline makes it.
func deployRun(changes ...func(*v1beta1.CustomRun)) *v1beta1.CustomRun {
	run := &v1beta1.CustomRun{
		ObjectMeta: metav1.ObjectMeta{Name: runName, Namespace: namespace, UID: "0a1b2c3d-4e5f", Generation: 1, ResourceVersion: "1"},
		Spec: v1beta1.CustomRunSpec{
			CustomRef:          &v1beta1.TaskRef{APIVersion: "spock.dev/v1alpha1", Kind: KindDeploy},
			ServiceAccountName: "deployer",
			Params: v1beta1.Params{
				{Name: "environment", Value: *v1beta1.NewStructuredValues("shop")},
				{Name: "product", Value: *v1beta1.NewStructuredValues("shop")},
				{Name: "class", Value: *v1beta1.NewStructuredValues("dev")},
				{Name: "services", Value: *v1beta1.NewStructuredValues("orders=r/orders@sha256:01", "web=r/web@sha256:02")},
			},
		},
	}
	for _, change := range changes {
		change(run)
	}
	return run
}

func teardownRun(changes ...func(*v1beta1.CustomRun)) *v1beta1.CustomRun {
	return deployRun(append([]func(*v1beta1.CustomRun){func(run *v1beta1.CustomRun) {
		run.Spec.CustomRef.Kind = KindTeardown
		run.Spec.Params = run.Spec.Params[:1]
	}}, changes...)...)
}

func retries(n int) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) { run.Spec.Retries = n }
}

func timeout(d time.Duration) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) { run.Spec.Timeout = &metav1.Duration{Duration: d} }
}

func cancelled(message v1beta1.CustomRunSpecStatusMessage) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) {
		run.Spec.Status, run.Spec.StatusMessage = v1beta1.CustomRunSpecStatusCancelled, message
	}
}

// shop is an environment that is there before the run.
func shop(changes ...func(*v1alpha1.Environment)) *v1alpha1.Environment {
	env := &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: namespace, UID: "shop-uid-1", Generation: 1, ResourceVersion: "1"},
		Spec: v1alpha1.EnvironmentSpec{
			Product: "shop", Class: "dev", ServiceAccountName: "deployer",
			Run: &v1alpha1.RunLayer{Services: []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders@sha256:01"}, {Name: "web", Image: "r/web@sha256:02"}}},
		},
	}
	for _, change := range changes {
		change(env)
	}
	return env
}

func ready(env *v1alpha1.Environment) { env.MarkReady("2 services ready") }

func progressing(env *v1alpha1.Environment) {
	env.Status.Progress = "1/2"
	env.MarkProgressing("1 of 2 services ready; orders: pulling the image")
}

func broken(env *v1alpha1.Environment) {
	env.Status.Progress = "1/2"
	env.Status.Services[0] = v1alpha1.ServiceStatus{Name: "orders", State: v1alpha1.ServiceFailed, Image: "r/orders@sha256:01", Cause: &v1alpha1.Cause{
		Class: v1alpha1.CauseImage, Message: "the image is not there", Hint: "push the image",
	}}
	env.MarkFailed(v1alpha1.ReasonFailed, "service orders failed: ImageNotPullable: the image is not there")
}

// recordOf is what a run keeps in its extraFields.
func recordOf(t *testing.T, run *v1beta1.CustomRun) record {
	t.Helper()
	var r record
	if err := json.Unmarshal(run.Status.ExtraFields.Raw, &r); err != nil {
		t.Fatalf("extraFields %s: %v", run.Status.ExtraFields.Raw, err)
	}
	return r
}

func result(t *testing.T, run *v1beta1.CustomRun, name string) string {
	t.Helper()
	for _, r := range run.Status.Results {
		if r.Name == name {
			return r.Value
		}
	}
	t.Fatalf("there is no result %s in %+v", name, run.Status.Results)
	return ""
}

// outcome is the condition as `Status Reason: Message`.
func outcome(run *v1beta1.CustomRun) string {
	c := run.Status.GetCondition("Succeeded")
	if c == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
}
