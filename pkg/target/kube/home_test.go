package kube

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	k8stesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
)

var (
	quota   = schema.GroupVersionKind{Version: "v1", Kind: "ResourceQuota"}
	binding = schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"}
)

// wanted is a scaffold of two objects and a secret.
func wanted(hash string, kinds ...schema.GroupVersionKind) *scaffold.Scaffold {
	s := &scaffold.Scaffold{Namespace: namespaceOf(shop), Hash: hash, Secrets: []v1alpha1.GeneratedSecret{{Name: "db", Keys: []string{"user", "password"}}}}
	for _, kind := range kinds {
		o := object(shop, kind, "environment", "", "")
		unstructured.RemoveNestedField(o.Object, "metadata", "uid")
		s.Objects = append(s.Objects, o)
	}
	return s
}

func namespaceOf(scope target.Scope) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:        scope.Namespace,
		Labels:      map[string]string{v1alpha1.LabelEnvironment: scope.Environment.Name, v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace},
		Annotations: map[string]string{v1alpha1.AnnotationEnvironmentUID: string(scope.UID)},
	}}
}

func terminating(ns *corev1.Namespace) *corev1.Namespace {
	now := metav1.NewTime(time.Unix(0, 0))
	ns.DeletionTimestamp, ns.Finalizers = &now, []string{"kubernetes"}
	return ns
}

// homes starts them on the lab, with namespaces that are there already.
func (l *lab) homes(t *testing.T, there ...*corev1.Namespace) *Homes {
	t.Helper()
	for _, ns := range there {
		l.stamp(ns)
		must(l.kube.Tracker().Add(ns))
	}
	h, err := newHomes(t.Context(), &client{dynamic: l.dynamic, kube: l.kube}, l.target(t), l.report)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// story is what was asked of the fakes, without what watches ask.
func (l *lab) story() []string {
	var lines []string
	for who, actions := range map[string][]k8stesting.Action{"": append(l.kube.Actions(), l.dynamic.Actions()...), " as the user": l.user.Actions()} {
		for _, a := range actions {
			if a.GetVerb() != "list" && a.GetVerb() != "watch" {
				lines = append(lines, a.GetVerb()+" "+a.GetResource().Resource+who)
			}
		}
	}
	return lines
}

func (l *lab) forgetStory() {
	l.kube.ClearActions()
	l.dynamic.ClearActions()
	l.user.ClearActions()
}

func (l *lab) prepare(t *testing.T, h *Homes, want *scaffold.Scaffold) {
	t.Helper()
	if ready, err := h.Prepare(t.Context(), shop, want); err != nil || !ready {
		t.Fatalf("Prepare() = %t, %v; want it ready", ready, err)
	}
}

func (l *lab) namespace(t *testing.T) *corev1.Namespace {
	t.Helper()
	got, err := l.kube.Tracker().Get(namespaces, "", shop.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	return got.(*corev1.Namespace)
}

func TestPrepareMakesTheNamespaceAndWhatStandsInIt(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t)
	var marked bool
	l.dynamic.PrependReactor("*", "*", func(k8stesting.Action) (bool, runtime.Object, error) {
		if l.namespace(t).Annotations[scaffold.AnnotationHash] != "" {
			marked = true
		}
		return false, nil, nil
	})
	l.prepare(t, h, wanted("h1", quota, binding))
	want := map[string]int{"create namespaces": 1, "patch namespaces": 1, "patch resourcequotas": 1, "patch rolebindings": 1, "create secrets as the user": 1}
	if diff := cmp.Diff(want, count(l.story())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if marked {
		t.Error("the namespace is marked before all of the scaffold is written")
	}
	annotations := map[string]string{
		v1alpha1.AnnotationEnvironmentUID: "uid-1", scaffold.AnnotationHash: "h1",
		scaffold.AnnotationObjects: "/v1/ResourceQuota/environment rbac.authorization.k8s.io/v1/RoleBinding/environment",
	}
	if diff := cmp.Diff(annotations, l.namespace(t).Annotations); diff != "" {
		t.Errorf("annotations of the namespace (-want +got):\n%s", diff)
	}
	for _, a := range l.dynamic.Actions() {
		patch, ok := a.(k8stesting.PatchActionImpl)
		if ok && (patch.PatchType != types.ApplyPatchType || patch.PatchOptions.FieldManager != v1alpha1.FieldManager || !*patch.PatchOptions.Force) {
			t.Errorf("%s is written by %s with %v", patch.GetResource().Resource, patch.PatchType, patch.PatchOptions)
		}
	}
}

func count(lines []string) map[string]int {
	out := map[string]int{}
	for _, line := range lines {
		out[line]++
	}
	return out
}

func TestAnUpToDateNamespaceCostsNoRequest(t *testing.T) {
	t.Parallel()
	marked := namespaceOf(shop)
	marked.Annotations[scaffold.AnnotationHash] = "h1"
	for name, tc := range map[string]struct {
		there []*corev1.Namespace
		blind bool // the watch shows nothing of it
		first bool // it is prepared once before
	}{
		"it is marked":                        {there: []*corev1.Namespace{marked}},
		"it was prepared a moment ago":        {first: true},
		"the watch has not even seen it":      {first: true, blind: true},
		"it was there and was furnished anew": {there: []*corev1.Namespace{namespaceOf(shop)}, first: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab()
			if tc.blind {
				hold(&l.kube.Fake, namespaces)
			}
			h := l.homes(t, tc.there...)
			if tc.first {
				l.prepare(t, h, wanted("h1", quota))
			}
			l.forgetStory()
			l.prepare(t, h, wanted("h1", quota))
			if got := l.story(); len(got) != 0 {
				t.Errorf("it costs %v", got)
			}
		})
	}
}

func TestPrepareTakesAwayWhatIsNotWantedAnyMore(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t)
	l.prepare(t, h, wanted("h1", quota, binding))
	l.until(t, "the mark is seen", func() bool {
		ns := h.get(shop.Namespace)
		return ns != nil && ns.Annotations[scaffold.AnnotationObjects] != ""
	})
	l.forgetStory()
	l.prepare(t, h, wanted("h2", binding))
	want := map[string]int{"patch namespaces": 1, "patch rolebindings": 1, "delete resourcequotas": 1, "create secrets as the user": 1}
	if diff := cmp.Diff(want, count(l.story())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got, want := l.namespace(t).Annotations[scaffold.AnnotationObjects], "rbac.authorization.k8s.io/v1/RoleBinding/environment"; got != want {
		t.Errorf("in the namespace stands %q, want %q", got, want)
	}
}

func TestPrepareThatFailsIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t)
	broken := true
	l.user.PrependReactor("create", "secrets", func(k8stesting.Action) (bool, runtime.Object, error) {
		return broken, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "db", errors.New("the role is too new"))
	})
	ready, err := h.Prepare(t.Context(), shop, wanted("h1", quota))
	if ready || !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "create secret db as "+User(shop)) {
		t.Errorf("Prepare() = %t, %v", ready, err)
	}
	if mark, marked := l.namespace(t).Annotations[scaffold.AnnotationHash]; marked {
		t.Errorf("the namespace is marked %q", mark)
	}
	broken = false
	l.prepare(t, h, wanted("h1", quota))
}

func TestASecretIsMadeOnceAndNeverRead(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t)
	l.prepare(t, h, wanted("h1"))
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	made, err := l.user.Tracker().Get(secrets, shop.Namespace, "db")
	if err != nil {
		t.Fatal(err)
	}
	secret := made.(*corev1.Secret).DeepCopy()
	if len(secret.StringData) != 2 || len(secret.StringData["user"]) != 32 || secret.StringData["user"] == secret.StringData["password"] {
		t.Errorf("the values are %q", secret.StringData)
	}
	if secret.Labels[v1alpha1.LabelEnvironment] != "shop" || secret.Annotations[v1alpha1.AnnotationEnvironmentUID] != "uid-1" {
		t.Errorf("the secret has labels %v and annotations %v", secret.Labels, secret.Annotations)
	}
	l.prepare(t, h, wanted("h2"))
	after, err := l.user.Tracker().Get(secrets, shop.Namespace, "db")
	if diff := cmp.Diff(secret, after); diff != "" || err != nil {
		t.Errorf("error %v; the secret once it is there already (-want +got):\n%s", err, diff)
	}
	for _, line := range append(l.story(), secretReads(l)...) {
		if strings.Contains(line, "secrets") && line != "create secrets as the user" {
			t.Errorf("a secret was touched: %s", line)
		}
	}
}

func secretReads(l *lab) []string {
	var lines []string
	for _, a := range append(append(l.kube.Actions(), l.user.Actions()...), l.dynamic.Actions()...) {
		if a.GetResource().Resource == "secrets" && a.GetVerb() != "create" {
			lines = append(lines, a.GetVerb()+" secrets")
		}
	}
	return lines
}

func TestPrepareInANamespaceThatIsThere(t *testing.T) {
	t.Parallel()
	bare := func() *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop.Namespace}}
	}
	namesake := func() *corev1.Namespace {
		ns := namespaceOf(shop)
		ns.Annotations[v1alpha1.AnnotationEnvironmentUID] = "uid-0"
		return ns
	}
	another := namespaceOf(other)
	another.Name = shop.Namespace
	for name, tc := range map[string]struct {
		there   *corev1.Namespace
		foreign *ForeignError
	}{
		"somebody's":                           {bare(), &ForeignError{Namespace: shop.Namespace}},
		"a namesake's":                         {namesake(), &ForeignError{Namespace: shop.Namespace}},
		"another environment's":                {another, &ForeignError{Namespace: shop.Namespace}},
		"its own, which is going":              {terminating(namespaceOf(shop)), nil},
		"a namesake's, which is going":         {terminating(namesake()), nil},
		"somebody's, whose end nobody reports": {terminating(bare()), &ForeignError{Namespace: shop.Namespace, Going: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab()
			// The fake's watches do not select by label.
			if _, labelled := environmentOf(tc.there); !labelled {
				l.kube.PrependReactor("list", "namespaces", func(k8stesting.Action) (bool, runtime.Object, error) {
					return true, &corev1.NamespaceList{}, nil
				})
				hold(&l.kube.Fake, namespaces)
			}
			h := l.homes(t, tc.there)
			ready, err := h.Prepare(t.Context(), shop, wanted("h1", quota))
			var foreign *ForeignError
			errors.As(err, &foreign)
			if diff := cmp.Diff(tc.foreign, foreign); diff != "" || ready || (tc.foreign == nil && err != nil) {
				t.Errorf("ready %t, error %v; (-want +got):\n%s", ready, err, diff)
			}
			for _, line := range l.story() {
				if strings.HasPrefix(line, "patch") || strings.HasPrefix(line, "delete") || strings.Contains(line, "secret") {
					t.Errorf("it was touched: %s", line)
				}
			}
			if owns := tc.there.Annotations[v1alpha1.AnnotationEnvironmentUID] == "uid-1"; h.Exists(shop) != owns {
				t.Errorf("Exists() = %t, want %t", !owns, owns)
			}
		})
	}
}

func TestAForeignErrorTellsWhatToDo(t *testing.T) {
	t.Parallel()
	for err, want := range map[*ForeignError]string{
		{Namespace: "a"}:              "namespace a exists and was not made for this environment: remove it, or give the environment another name",
		{Namespace: "a", Going: true}: "namespace a was not made for this environment and is being removed: wait until it is gone, or give the environment another name",
	} {
		if err.Error() != want || !err.Foreign() {
			t.Errorf("Error() = %q, want %q", err.Error(), want)
		}
	}
}

func TestFreshIsTheTimeInWhichRightsSettle(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t)
	l.prepare(t, h, wanted("h1"))
	now := time.Now()
	for _, tc := range []struct {
		namespace string
		after     time.Duration
		want      bool
	}{{shop.Namespace, 0, true}, {shop.Namespace, time.Hour, false}, {other.Namespace, 0, false}} {
		if got := h.Fresh(tc.namespace, now.Add(tc.after)); got != tc.want {
			t.Errorf("Fresh(%s) after %s = %t, want %t", tc.namespace, tc.after, got, tc.want)
		}
	}
}

func TestPasswordsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 20 {
		p, err := password()
		if err != nil || len(p) != 32 || seen[p] {
			t.Fatalf("password() = %q, %v after %v", p, err, seen)
		}
		seen[p] = true
	}
}
