package kube

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	k8stesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/target"
)

func TestANamespaceExistsBeforeTheWatchHasSeenIt(t *testing.T) {
	t.Parallel()
	l := newLab()
	held := hold(&l.kube.Fake, namespaces)
	h := l.homes(t)
	if h.Exists(shop) {
		t.Error("it exists before it was made")
	}
	l.prepare(t, h, wanted("h1"))
	if !h.Exists(shop) || h.Exists(other) {
		t.Errorf("of the one that was made: %t, of the other: %t", h.Exists(shop), h.Exists(other))
	}
	namesake := shop
	namesake.UID = "uid-0"
	if h.Exists(namesake) {
		t.Error("it exists for a namesake")
	}
	if gone, err := h.Remove(t.Context(), shop); gone || err != nil {
		t.Errorf("Remove() before the watch has seen it = %t, %v; want to wait", gone, err)
	}
	held.Add(l.namespace(t))
	l.reported(t, shop.Environment)
	held.Delete(l.namespace(t))
	l.until(t, "it is gone", func() bool { return !h.Exists(shop) })
	if gone, err := h.Remove(t.Context(), shop); !gone || err != nil {
		t.Errorf("Remove() once it is gone = %t, %v", gone, err)
	}
}

// The watch was broken while the namespace came and went.
func TestANamespaceThatTheWatchNeverSawIsGone(t *testing.T) {
	t.Parallel()
	l := newLab()
	held := hold(&l.kube.Fake, namespaces)
	h := l.homes(t)
	l.prepare(t, h, wanted("h1"))
	later := namespaceOf(other)
	later.ResourceVersion = "99999"
	held.Add(later)
	l.reported(t, other.Environment)
	if h.Exists(shop) {
		t.Error("the watch is past it and does not show it, and it exists")
	}
}

func TestRemoveDeletesTheNamespaceOfThisUIDAlone(t *testing.T) {
	t.Parallel()
	l := newLab()
	h := l.homes(t, namespaceOf(shop))
	gone, err := h.Remove(t.Context(), shop)
	if gone || err != nil {
		t.Errorf("Remove() = %t, %v; want to wait for its end", gone, err)
	}
	var uids []types.UID
	for _, a := range l.kube.Actions() {
		if d, ok := a.(k8stesting.DeleteActionImpl); ok && d.Name == shop.Namespace {
			uids = append(uids, *d.DeleteOptions.Preconditions.UID)
		}
	}
	if diff := cmp.Diff([]types.UID{"object-1001"}, uids); diff != "" {
		t.Errorf("deleted with the preconditions (-want +got):\n%s", diff)
	}
	l.until(t, "its end is seen", func() bool { return !h.Exists(shop) })
}

func TestRemoveThatIsRefused(t *testing.T) {
	t.Parallel()
	resource := namespaces.GroupResource()
	for name, tc := range map[string]struct {
		err    error
		failed bool
	}{
		"it is gone":                {apierrors.NewNotFound(resource, shop.Namespace), false},
		"another one took its name": {apierrors.NewConflict(resource, shop.Namespace, errors.New("uid")), false},
		"the controller may not":    {apierrors.NewForbidden(resource, shop.Namespace, errors.New("no")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab()
			h := l.homes(t, namespaceOf(shop))
			l.kube.PrependReactor("delete", "namespaces", func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, tc.err })
			if gone, err := h.Remove(t.Context(), shop); gone || (err != nil) != tc.failed {
				t.Errorf("Remove() = %t, %v; want an error: %t", gone, err, tc.failed)
			}
		})
	}
}

func TestRemoveLeavesWhatIsGoingOrNotItsOwn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		scope target.Scope
		gone  bool
	}{
		"it is going":              {shop, false},
		"it is of another of them": {target.Scope{Environment: shop.Environment, UID: "uid-0", Namespace: shop.Namespace}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab()
			h := l.homes(t, terminating(namespaceOf(shop)))
			if gone, err := h.Remove(t.Context(), tc.scope); gone != tc.gone || err != nil {
				t.Errorf("Remove() = %t, %v; want %t", gone, err, tc.gone)
			}
			if got := l.story(); len(got) != 0 {
				t.Errorf("it costs %v", got)
			}
		})
	}
}
