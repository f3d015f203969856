package environment

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	fakekube "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	events "k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	fakespock "spock.dev/spock/pkg/client/clientset/versioned/fake"
	fakespockclient "spock.dev/spock/pkg/client/injection/client/fake"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment/fake"
	classinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentclass"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentclass/fake"
	runinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentrun"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentrun/fake"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host/fake"
	productinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product/fake"
	templateinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate/fake"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/reconciler/lease"
)

const (
	team = "team-a"
	key  = team + "/shop"
)

var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// lab is a reconciler in front of a small cluster. Its listers see the cluster only when
// catchUp is called; pass does that first.
type lab struct {
	t      *testing.T
	ctx    context.Context
	cancel context.CancelFunc
	impl   *controller.Impl
	places *places
	client *fakespock.Clientset
	clock  *clocktesting.FakePassiveClock
	target *fakeTarget
	homes  *fakeHomes
	// configMaps are those with manifests.
	configMaps cache.SharedIndexInformer
	kube       *fakekube.Clientset
	events     *events.FakeRecorder

	// keys of registries, by namespace, service account and Secret.
	keys map[string]string

	mu     sync.Mutex
	woken  []time.Duration // after which another pass was asked for
	serial int
}

// newLab has an environment of a product of two services, and all that it is made from.
func newLab(t *testing.T, changes ...func(*v1alpha1.Environment)) *lab {
	t.Helper()
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return logging.WithLogger(ctx, zap.NewNop().Sugar())
	})
	t.Cleanup(cancel)
	kube := fakekube.NewClientset()
	l := &lab{
		kube: kube, configMaps: coreinformers.NewConfigMapInformer(kube, team, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
		t: t, ctx: ctx, cancel: cancel, client: fakespockclient.Get(ctx), clock: clocktesting.NewFakePassiveClock(began),
		target: newFakeTarget(), homes: &fakeHomes{},
		events: controller.GetEventRecorder(ctx).(*events.FakeRecorder),
	}
	l.client.PrependReactor("create", "environmentruns", l.born)
	l.client.PrependReactor("update", "environments", l.statusOnly)
	env := &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "shop", UID: "uid-1", Generation: 1, ResourceVersion: "1"},
		Spec:       v1alpha1.EnvironmentSpec{Product: "shop", Class: "dev"},
	}
	for _, change := range changes {
		change(env)
	}
	for _, o := range []runtime.Object{env, shop(), template(), class()} {
		l.must(l.client.Tracker().Add(o))
	}
	l.restart()
	return l
}

// born gives a run what the apiserver gives it.
func (l *lab) born(action clienttesting.Action) (bool, runtime.Object, error) {
	run := action.(clienttesting.CreateAction).GetObject().(*v1alpha1.EnvironmentRun)
	l.serial++
	run.UID, run.CreationTimestamp = types.UID(fmt.Sprintf("run-%d", l.serial)), metav1.NewTime(l.clock.Now())
	return false, nil, nil
}

// statusOnly writes the status of an environment and leaves the rest, as the apiserver does.
func (l *lab) statusOnly(action clienttesting.Action) (bool, runtime.Object, error) {
	if action.GetSubresource() != "status" {
		return false, nil, nil
	}
	written := action.(clienttesting.UpdateAction).GetObject().(*v1alpha1.Environment)
	env, err := l.client.Tracker().Get(action.GetResource(), team, written.Name)
	if err != nil {
		return true, nil, err
	}
	stored := env.(*v1alpha1.Environment).DeepCopy()
	stored.Status = written.Status
	return true, stored, l.client.Tracker().Update(action.GetResource(), stored, team)
}

// restart replaces the reconciler by one that remembers nothing.
func (l *lab) restart() {
	l.t.Helper()
	var r *Reconciler
	l.impl, r = newController(l.ctx, &lease.Health{}, l.clock, &engine.Engine{Target: l.target, Gate: pace.NewGate(l.clock.Now), Patience: time.Minute}, l.homes, l.configMaps,
		artifact.Door{Secret: l.pullSecret, Fetch: artifact.Fetch})
	l.places = r.places
	r.after = func(_ types.NamespacedName, d time.Duration) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.woken = append(l.woken, d)
	}
	l.must(l.impl.Reconciler.(reconciler.LeaderAware).Promote(reconciler.UniversalBucket(), nil))
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// catchUp brings the listers up to the cluster.
func (l *lab) catchUp() {
	l.t.Helper()
	spock := l.client.SpockV1alpha1()
	environments, err := spock.Environments("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	replace(l, environmentinformer.Get(l.ctx).Informer(), environments.Items)
	runs, err := spock.EnvironmentRuns("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	replace(l, runinformer.Get(l.ctx).Informer(), runs.Items)
	products, err := spock.Products("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	replace(l, productinformer.Get(l.ctx).Informer(), products.Items)
	templates, err := spock.ServiceTemplates("").List(l.ctx, metav1.ListOptions{})
	l.must(err)
	replace(l, templateinformer.Get(l.ctx).Informer(), templates.Items)
	classes, err := spock.EnvironmentClasses().List(l.ctx, metav1.ListOptions{})
	l.must(err)
	replace(l, classinformer.Get(l.ctx).Informer(), classes.Items)
}

func replace[T any](l *lab, informer cache.SharedIndexInformer, items []T) {
	l.t.Helper()
	objects := make([]any, 0, len(items))
	for i := range items {
		objects = append(objects, &items[i])
	}
	l.must(informer.GetIndexer().Replace(objects, ""))
}

// pass reconciles once, as the generated reconciler does, and fails the test on an error
// that is more than "nothing to do until an event comes".
func (l *lab) pass() {
	l.t.Helper()
	if err := l.try(); err != nil && !controller.IsSkipKey(err) {
		l.t.Fatalf("Reconcile() failed: %v", err)
	}
}

func (l *lab) try() error {
	l.t.Helper()
	l.catchUp()
	return l.stale()
}

// stale reconciles by what the listers had before.
func (l *lab) stale() error {
	l.woken = nil
	l.client.ClearActions()
	return l.impl.Reconciler.Reconcile(l.ctx, key)
}

// settle passes until nothing is written any more.
func (l *lab) settle() {
	l.t.Helper()
	for range 20 {
		before := l.target.writes
		l.pass()
		if len(l.writes()) == 0 && l.target.writes == before {
			return
		}
		l.clock.SetTime(l.clock.Now().Add(time.Second))
	}
	l.t.Fatal("the environment does not settle")
}

func (l *lab) env() *v1alpha1.Environment {
	l.t.Helper()
	env, err := l.client.SpockV1alpha1().Environments(team).Get(l.ctx, "shop", metav1.GetOptions{})
	l.must(err)
	return env
}

func (l *lab) run(name string) *v1alpha1.EnvironmentRun {
	l.t.Helper()
	run, err := l.client.SpockV1alpha1().EnvironmentRuns(team).Get(l.ctx, name, metav1.GetOptions{})
	l.must(err)
	return run
}

func (l *lab) runs() []string {
	l.t.Helper()
	all, err := l.client.SpockV1alpha1().EnvironmentRuns(team).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	var names []string
	for _, run := range all.Items {
		names = append(names, run.Name)
	}
	slices.Sort(names)
	return names
}

// edit changes the environment as a user would: its generation moves.
func (l *lab) edit(change func(*v1alpha1.Environment)) {
	l.t.Helper()
	env := l.env().DeepCopy()
	change(env)
	env.Generation++
	l.put(env, "environments")
}

// put replaces an object past everything that watches writes.
func (l *lab) put(o runtime.Object, resource string) {
	l.t.Helper()
	l.must(l.client.Tracker().Update(v1alpha1.SchemeGroupVersion.WithResource(resource), o, team))
}

// told is the phase and the message of the environment.
func (l *lab) told() string {
	l.t.Helper()
	status := l.env().Status
	return fmt.Sprintf("%s: %s", status.Phase, status.Message)
}

func (l *lab) tells(want string) {
	l.t.Helper()
	if got := l.told(); got != want {
		l.t.Errorf("the environment tells\n%s, want\n%s", got, want)
	}
}

// writes are the requests of the last pass that were more than a look.
func (l *lab) writes() []string {
	var all []string
	for _, action := range l.client.Actions() {
		switch action.GetVerb() {
		case "get", "list", "watch":
			continue
		}
		what := action.GetVerb() + " " + action.GetResource().Resource
		if sub := action.GetSubresource(); sub != "" {
			what += "/" + sub
		}
		all = append(all, what)
	}
	return all
}

// happened are the events so far, and forgets them.
func (l *lab) happened() []string {
	var all []string
	for {
		select {
		case e := <-l.events.Events:
			all = append(all, e)
		default:
			return all
		}
	}
}

// shop is a product of two tiers with a service each.
func shop() *v1alpha1.Product {
	return &v1alpha1.Product{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "shop", UID: "product", Generation: 1},
		Spec: v1alpha1.ProductSpec{Groups: []v1alpha1.Group{
			{Name: "data", Services: []v1alpha1.ProductService{{Name: "db", Template: "service", Image: "registry/db:1"}}},
			{Name: "apps", Services: []v1alpha1.ProductService{{Name: "api", Template: "service", Image: "registry/api:1", Expose: &v1alpha1.Expose{}}}},
		}},
	}
}

func template() *v1alpha1.ServiceTemplate {
	return &v1alpha1.ServiceTemplate{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "service", UID: "template", Generation: 1},
		Spec: v1alpha1.ServiceTemplateSpec{
			Ports:     []v1alpha1.Port{{Name: "http", Port: 8080, Protocol: corev1.ProtocolTCP}},
			Container: &v1alpha1.Container{},
		},
	}
}

func class() *v1alpha1.EnvironmentClass {
	return &v1alpha1.EnvironmentClass{
		ObjectMeta: metav1.ObjectMeta{Name: "dev", UID: "class", Generation: 1},
		Spec:       v1alpha1.EnvironmentClassSpec{Domain: "dev.example.com"},
	}
}
