package kube

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

func TestTrimKeepsWhoWroteAndDropsWhat(t *testing.T) {
	t.Parallel()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{
		{Manager: "spock", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{Raw: []byte(`{}`)}},
	}}}
	want := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{
		{Manager: "spock", Operation: metav1.ManagedFieldsOperationApply},
	}}}
	got, err := trim(pod)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("trimmed (-want +got):\n%s", diff)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"managedFields": []any{
		map[string]any{"manager": "spock", "operation": "Apply", "fieldsV1": map[string]any{"f:spec": map[string]any{}}},
		map[string]any{"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": map[string]any{"f:spec": map[string]any{}}},
	}}}}
	if _, err := trim(object); err != nil {
		t.Fatal(err)
	}
	kept := []any{
		map[string]any{"manager": "spock", "operation": "Apply", "fieldsV1": `{"f:spec":{}}`},
		map[string]any{"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"},
	}
	if diff := cmp.Diff(kept, object.Object["metadata"].(map[string]any)["managedFields"]); diff != "" {
		t.Errorf("trimmed, an object of ours has (-want +got):\n%s", diff)
	}
	if got, err := trim("no object"); err != nil || got != "no object" {
		t.Errorf("trim of what is no object = %v, %v", got, err)
	}
}

func TestAnObjectIsIndexedByItsEnvironment(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		labels map[string]string
		want   []string
	}{
		"both labels":     {map[string]string{v1alpha1.LabelEnvironment: "shop", v1alpha1.LabelEnvironmentNamespace: "team-a"}, []string{"team-a/shop"}},
		"the name alone":  {map[string]string{v1alpha1.LabelEnvironment: "shop"}, nil},
		"no label at all": {nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := environments(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: tc.labels}})
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("error %v; environments (-want +got):\n%s", err, diff)
			}
		})
	}
	if got, err := environments("no object"); len(got) != 0 || err != nil {
		t.Errorf("environments of what is no object = %v, %v", got, err)
	}
}

func TestObserveShowsTheObjectsAndPodsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	l := newLab()
	elsewhere := object(shop, configMap, "elsewhere", "c", "3")
	elsewhere.SetNamespace("default")
	for _, o := range []*unstructured.Unstructured{object(shop, configMap, "mine", "a", "1"), object(other, configMap, "theirs", "b", "2"), elsewhere} {
		must(l.dynamic.Tracker().Create(configMaps, o, o.GetNamespace()))
	}
	for _, scope := range []target.Scope{shop, other} {
		labels := map[string]string{v1alpha1.LabelEnvironment: scope.Environment.Name, v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace, v1alpha1.LabelService: "api"}
		must(l.kube.Tracker().Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "api-1", Namespace: scope.Namespace, Labels: labels}}))
	}
	on := l.target(t)
	l.synced(t, on, shop)
	state := see(t, on, shop)
	if diff := cmp.Diff([]string{"ConfigMap/mine"}, names(state)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if pods := state.Pods["api"]; len(state.Pods) != 1 || len(pods) != 1 || pods[0].Namespace != shop.Namespace {
		t.Errorf("pods = %v", state.Pods)
	}
}

func names(state target.State) []string {
	var out []string
	for key := range maps.Keys(state.Objects) {
		out = append(out, key.String())
	}
	slices.Sort(out)
	return out
}

func TestChangesAreReportedForTheirEnvironmentAlone(t *testing.T) {
	t.Parallel()
	l := newLab()
	on := l.target(t)
	l.synced(t, on, shop)
	l.synced(t, on, other)
	tracker := l.dynamic.Tracker()
	given := object(other, configMap, "config", "a", "4")
	given.SetNamespace(shop.Namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "api-1", Namespace: shop.Namespace, Labels: object(shop, configMap, "", "", "").GetLabels()}}
	for _, step := range []struct {
		what string
		do   func() error
		want []types.NamespacedName
	}{
		{"an object comes", func() error { return tracker.Create(configMaps, config("2"), shop.Namespace) }, []types.NamespacedName{shop.Environment}},
		{"it changes", func() error { return tracker.Update(configMaps, config("3"), shop.Namespace) }, []types.NamespacedName{shop.Environment}},
		{"it is given to another environment", func() error { return tracker.Update(configMaps, given, shop.Namespace) }, []types.NamespacedName{shop.Environment, other.Environment}},
		{"it goes", func() error { return tracker.Delete(configMaps, shop.Namespace, "config") }, []types.NamespacedName{other.Environment}},
		{"a pod comes", func() error { return l.kube.Tracker().Add(pod) }, []types.NamespacedName{shop.Environment}},
	} {
		for len(l.changed) > 0 {
			<-l.changed
		}
		must(step.do())
		got := l.reported(t, step.want[len(step.want)-1])
		want := map[types.NamespacedName]bool{}
		for _, env := range step.want {
			want[env] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: reported (-want +got):\n%s", step.what, diff)
		}
	}
}

func TestADeletionThatTheWatchMissedIsReported(t *testing.T) {
	t.Parallel()
	var reported []types.NamespacedName
	var forgotten []string
	w := &watches{
		changed: func(env types.NamespacedName) { reported = append(reported, env) },
		deleted: func(o *unstructured.Unstructured) { forgotten = append(forgotten, o.GetName()) },
	}
	w.gone(cache.DeletedFinalStateUnknown{Key: "team-a-shop/config", Obj: config("1")})
	if diff := cmp.Diff([]types.NamespacedName{shop.Environment}, reported); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"config"}, forgotten); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
}

// gate holds the lists of a resource back until it is opened, or refuses them.
type gate struct {
	open chan struct{}
	err  error
}

func (g *gate) react(k8stesting.Action) (bool, runtime.Object, error) {
	select {
	case <-g.open:
		return false, nil, nil
	default:
	}
	if g.err != nil {
		return true, nil, g.err
	}
	<-g.open
	return false, nil, nil
}

func TestAnEnvironmentThatWaitsIsReportedWhenAllIsListed(t *testing.T) {
	t.Parallel()
	l, g := newLab(), &gate{open: make(chan struct{})}
	l.dynamic.PrependReactor("list", "configmaps", g.react)
	on := l.target(t)
	for range 2 {
		if _, err := on.Observe(t.Context(), shop, nil); !errors.Is(err, target.ErrNotSynced) {
			t.Fatalf("before the first list: %v, want ErrNotSynced", err)
		}
	}
	close(g.open)
	l.reported(t, shop.Environment)
	see(t, on, shop)
}

func TestAKindThatOthersUseHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"it is slow":       nil,
		"it is refused":    apierrors.NewForbidden(queues.GroupResource(), "", errors.New("no")),
		"nobody serves it": apierrors.NewServiceUnavailable("no endpoints"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, g := newLab(), &gate{open: make(chan struct{}), err: refusal}
			t.Cleanup(func() { close(g.open) })
			l.dynamic.PrependReactor("list", "queues", g.react)
			on := l.target(t)
			l.synced(t, on, shop, configMap) // first: a list that waits holds all lists of the fake
			if _, err := on.Observe(t.Context(), other, []schema.GroupVersionKind{queue}); err == nil {
				t.Fatal("the kind that is not listed can be observed")
			}
			see(t, on, shop)
		})
	}
}

func TestAKindThatCannotBeWatched(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind schema.GroupVersionKind
		on   func(*lab) *k8stesting.Fake
		asks []schema.GroupVersionKind
	}{
		"one of a plan": {queue, func(l *lab) *k8stesting.Fake { return &l.dynamic.Fake }, []schema.GroupVersionKind{queue}},
		"one of all":    {configMap, func(l *lab) *k8stesting.Fake { return &l.dynamic.Fake }, nil},
		"the pods":      {corev1.SchemeGroupVersion.WithKind("Pod"), func(l *lab) *k8stesting.Fake { return &l.kube.Fake }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource := strings.ToLower(tc.kind.Kind) + "s"
			g := &gate{open: make(chan struct{}), err: apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))}
			l := newLab()
			tc.on(l).PrependReactor("list", resource, g.react)
			on := l.target(t)
			var kind *target.KindError
			l.until(t, "a KindError", func() bool {
				_, err := on.Observe(t.Context(), shop, tc.asks)
				return errors.As(err, &kind)
			})
			if kind.Kind != tc.kind || !apierrors.IsForbidden(kind) {
				t.Errorf("the error is %v", kind)
			}
			// The rights come later: the environment is told.
			close(g.open)
			l.synced(t, on, shop, tc.asks...)
		})
	}
}

func TestAnApiserverThatIsAwayIsNoFaultOfTheKind(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"nothing is wrong":             {nil, false},
		"the connection is refused":    {errors.New("connect: connection refused"), false},
		"the apiserver is overloaded":  {apierrors.NewTooManyRequests("later", 1), false},
		"the apiserver starts":         {apierrors.NewServiceUnavailable("later"), false},
		"the apiserver takes too long": {apierrors.NewTimeoutError("later", 1), false},
		"the list is too old":          {apierrors.NewResourceExpired("list again"), false},
		"the controller may not":       {apierrors.NewForbidden(queues.GroupResource(), "", errors.New("no")), true},
		"the kind is not served":       {apierrors.NewNotFound(queues.GroupResource(), ""), true},
		"the kind cannot be watched":   {apierrors.NewMethodNotSupported(queues.GroupResource(), "watch"), true},
		"its conversion is broken":     {apierrors.NewInternalError(errors.New("conversion webhook failed")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := unwatchable(tc.err); got != tc.want {
				t.Errorf("unwatchable(%v) = %t, want %t", tc.err, got, tc.want)
			}
		})
	}
}

func TestKindsThatCannotBeObserved(t *testing.T) {
	t.Parallel()
	l := newLab()
	on := l.target(t)
	for name, kind := range map[string]schema.GroupVersionKind{
		"a kind the cluster does not know": {Group: "example.com", Version: "v1", Kind: "Nothing"},
		"a kind that is not namespaced":    {Version: "v1", Kind: "Node"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := on.Observe(t.Context(), shop, []schema.GroupVersionKind{kind})
			var wrong *target.KindError
			if !errors.As(err, &wrong) || wrong.Kind != kind {
				t.Errorf("Observe() = %v, want a KindError of %s", err, kind)
			}
		})
	}
}

func TestAKindThatIsInstalledLaterIsFound(t *testing.T) {
	t.Parallel()
	l := newLab()
	bucket := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Bucket"}
	l.mapper.later = meta.NewDefaultRESTMapper(nil)
	l.mapper.later.AddSpecific(bucket, queues, queues, meta.RESTScopeNamespace)
	on := l.target(t)
	l.until(t, "in sync", func() bool {
		_, err := on.Observe(t.Context(), shop, []schema.GroupVersionKind{bucket})
		if err != nil && !errors.Is(err, target.ErrNotSynced) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// A mapper that fails does not say that the kind is unknown.
func TestADiscoveryThatFailsIsNoKindError(t *testing.T) {
	t.Parallel()
	l := newLab()
	on := l.target(t)
	down := errors.New("connection refused")
	on.mapper = brokenMapper{l.mapper, down}
	_, err := on.Observe(t.Context(), shop, []schema.GroupVersionKind{queue})
	var wrong *target.KindError
	if !errors.Is(err, down) || errors.As(err, &wrong) {
		t.Errorf("Observe() = %v, want %v and no KindError", err, down)
	}
}

type brokenMapper struct {
	*kindTable
	err error
}

func (m brokenMapper) RESTMapping(schema.GroupKind, ...string) (*meta.RESTMapping, error) {
	return nil, m.err
}
