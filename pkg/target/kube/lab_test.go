package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard()) // watches that are refused on purpose
	klog.SetOutput(io.Discard)
	os.Exit(m.Run())
}

const patience = 20 * time.Second

var (
	shop  = target.Scope{Environment: types.NamespacedName{Namespace: "team-a", Name: "shop"}, UID: "uid-1", Namespace: "team-a-shop", ServiceAccount: "deployer", Run: "shop-1"}
	other = target.Scope{Environment: types.NamespacedName{Namespace: "team-b", Name: "shop"}, UID: "uid-2", Namespace: "team-b-shop", ServiceAccount: "deployer", Run: "shop-7"}

	configMap  = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	queue      = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Queue"}
	queues     = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "queues"}
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// kindTable is a mapper whose later kinds are known once it was reset.
type kindTable struct {
	meta.RESTMapper
	mu     sync.Mutex
	later  *meta.DefaultRESTMapper
	resets int
}

func (k *kindTable) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.resets > 0 && k.later != nil {
		return k.later.RESTMapping(kind, versions...)
	}
	return k.RESTMapper.RESTMapping(kind, versions...)
}

func (k *kindTable) Reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resets++
}

// lab is a cluster of fakes: what is written gets a uid and a version that grows, as an
// apiserver gives them.
type lab struct {
	dynamic *dynamicfake.FakeDynamicClient
	kube    *kubefake.Clientset // as the controller sees it
	user    *kubefake.Clientset // as the service accounts see it
	mapper  *kindTable
	changed chan types.NamespacedName
	mu      sync.Mutex
	serial  int
}

func newLab() *lab {
	lists, table := map[schema.GroupVersionResource]string{queues: "QueueList"}, meta.NewDefaultRESTMapper(nil)
	for kind, resource := range usual {
		lists[resource] = kind.Kind + "List"
		table.AddSpecific(kind, resource, resource, meta.RESTScopeNamespace)
	}
	table.AddSpecific(queue, queues, queues, meta.RESTScopeNamespace)
	for _, kind := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "ResourceQuota"}, {Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
	} {
		table.Add(kind, meta.RESTScopeNamespace)
	}
	table.Add(schema.GroupVersionKind{Version: "v1", Kind: "Node"}, meta.RESTScopeRoot)
	l := &lab{
		dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists),
		kube:    kubefake.NewClientset(), user: kubefake.NewClientset(),
		mapper: &kindTable{RESTMapper: table}, changed: make(chan types.NamespacedName, 1000), serial: 1000,
	}
	l.dynamic.PrependReactor("patch", "*", l.apply)
	l.dynamic.PrependReactor("delete", "*", l.remove)
	l.kube.PrependReactor("create", "namespaces", func(action k8stesting.Action) (bool, runtime.Object, error) {
		l.stamp(action.(k8stesting.CreateAction).GetObject().(*corev1.Namespace))
		return false, nil, nil
	})
	return l
}

// stamp gives an object the next version, and a uid if it has none.
func (l *lab) stamp(o metav1.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	o.SetResourceVersion(fmt.Sprint(l.serial))
	if o.GetUID() == "" {
		o.SetUID(types.UID(fmt.Sprintf("object-%d", l.serial)))
	}
}

// apply stands for the apiserver's: the fake has none for kinds without a schema.
func (l *lab) apply(action k8stesting.Action) (bool, runtime.Object, error) {
	patch := action.(k8stesting.PatchAction)
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal(patch.GetPatch(), &o.Object); err != nil {
		return true, nil, err
	}
	before, err := l.dynamic.Tracker().Get(patch.GetResource(), patch.GetNamespace(), patch.GetName())
	write := l.dynamic.Tracker().Create
	if err == nil {
		o.SetUID(before.(metav1.Object).GetUID())
		write = func(gvr schema.GroupVersionResource, obj runtime.Object, ns string, _ ...metav1.CreateOptions) error {
			return l.dynamic.Tracker().Update(gvr, obj, ns)
		}
	}
	l.stamp(o)
	return true, o, write(patch.GetResource(), o.DeepCopy(), patch.GetNamespace())
}

func (l *lab) remove(action k8stesting.Action) (bool, runtime.Object, error) {
	d := action.(k8stesting.DeleteActionImpl)
	before, err := l.dynamic.Tracker().Get(d.GetResource(), d.GetNamespace(), d.GetName())
	if err != nil {
		return true, nil, err
	}
	if want := d.DeleteOptions.Preconditions; want != nil && *want.UID != before.(metav1.Object).GetUID() {
		return true, nil, apierrors.NewConflict(d.GetResource().GroupResource(), d.GetName(), fmt.Errorf("uid"))
	}
	return false, nil, nil
}

func (l *lab) report(env types.NamespacedName) { l.changed <- env }

// target starts one on the lab.
func (l *lab) target(t *testing.T) *Target {
	t.Helper()
	users := newClients(func(string, string) (*client, error) { return &client{dynamic: l.dynamic, kube: l.user}, nil })
	return newTarget(t.Context(), l.mapper, &client{dynamic: l.dynamic, kube: l.kube}, users, l.report)
}

// hold keeps from a fake's watches of a resource what is written; the test tells them
// what it likes. It can be used once a watch has begun.
func hold(fake *k8stesting.Fake, resource schema.GroupVersionResource) *apiwatch.RaceFreeFakeWatcher {
	held := apiwatch.NewRaceFreeFake()
	fake.PrependWatchReactor(resource.Resource, k8stesting.DefaultWatchReactor(held, nil))
	return held
}

// until waits for reports until something is so, and returns who was reported meanwhile.
func (l *lab) until(t *testing.T, expected string, is func() bool) map[types.NamespacedName]bool {
	t.Helper()
	late, reported := time.After(patience), map[types.NamespacedName]bool{}
	for !is() {
		select {
		case env := <-l.changed:
			reported[env] = true
		case <-late:
			t.Fatalf("after %s not yet: %s; reported: %v", patience, expected, reported)
		}
	}
	return reported
}

// reported waits until an environment is, and returns all that were until then.
func (l *lab) reported(t *testing.T, env types.NamespacedName) map[types.NamespacedName]bool {
	t.Helper()
	all := map[types.NamespacedName]bool{}
	late := time.After(patience)
	for !all[env] {
		select {
		case got := <-l.changed:
			all[got] = true
		case <-late:
			t.Fatalf("%s was not reported within %s; reported: %v", env, patience, all)
		}
	}
	return all
}

// synced waits until an environment can be observed.
func (l *lab) synced(t *testing.T, on *Target, scope target.Scope, kinds ...schema.GroupVersionKind) {
	t.Helper()
	l.until(t, "in sync", func() bool { _, err := on.Observe(t.Context(), scope, kinds); return err == nil })
}

func see(t *testing.T, on *Target, scope target.Scope) target.State {
	t.Helper()
	state, err := on.Observe(t.Context(), scope, nil)
	if err != nil {
		t.Fatalf("observe: %v", err)
	}
	return state
}

// object is one of an environment, as a watch gives it.
func object(scope target.Scope, kind schema.GroupVersionKind, name, uid, version string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(kind)
	o.SetName(name)
	o.SetNamespace(scope.Namespace)
	o.SetUID(types.UID(uid))
	o.SetResourceVersion(version)
	o.SetLabels(map[string]string{v1alpha1.LabelEnvironment: scope.Environment.Name, v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace})
	o.SetAnnotations(map[string]string{v1alpha1.AnnotationEnvironmentUID: string(scope.UID)})
	return o
}

// desired is what a plan wants of an object.
func desired(scope target.Scope, kind schema.GroupVersionKind, name string) plan.Object {
	o := object(scope, kind, name, "", "")
	unstructured.RemoveNestedField(o.Object, "metadata", "uid")
	unstructured.RemoveNestedField(o.Object, "metadata", "resourceVersion")
	return plan.Object{Key: keyOf(o), Desired: o}
}
