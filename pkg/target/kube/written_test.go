package kube

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/plan"
)

func config(version string) *unstructured.Unstructured {
	return object(shop, configMap, "config", "a", version)
}

// Version 10 of object a was written by us.
func TestAnOwnWriteIsShownUntilTheWatchHasCaughtUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		seen    *unstructured.Unstructured
		upTo    string // the version to which the watch has seen the kind
		want    string // the version that is shown; empty if none is
		dropped bool
	}{
		"the watch has seen nothing of it":          {want: "10", upTo: "9"},
		"a watch that tells no version is believed": {want: "10"},
		"the watch shows the version before":        {seen: config("9"), want: "10", upTo: "9"},
		"versions are numbers, not texts":           {seen: config("8"), want: "10"},
		"the watch shows our write":                 {seen: config("10"), want: "10", upTo: "10", dropped: true},
		"the watch shows a later write":             {seen: config("11"), want: "11", upTo: "11", dropped: true},
		"the watch shows a version that is no number": {
			seen: config("x"), want: "x", dropped: true,
		},
		"it was deleted, and the watch is past it": {upTo: "11", dropped: true},
		"it is not there in our very version":      {upTo: "10", dropped: true},
		"another one took its name": {
			seen: object(shop, configMap, "config", "b", "12"), want: "12", upTo: "12", dropped: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, objects := newWritten(), map[plan.Key]*unstructured.Unstructured{}
			mine := config("10")
			w.remember(mine)
			if tc.seen != nil {
				objects[keyOf(tc.seen)] = tc.seen
			}
			w.overlay(shop, objects, map[schema.GroupVersionKind]string{configMap: tc.upTo})
			got := ""
			if o := objects[keyOf(mine)]; o != nil {
				got = o.GetResourceVersion()
			}
			if got != tc.want {
				t.Errorf("shown is version %q, want %q", got, tc.want)
			}
			if dropped := len(w.byHome) == 0; dropped != tc.dropped {
				t.Errorf("the write was dropped: %t, want %t", dropped, tc.dropped)
			}
		})
	}
}

func TestAWriteOfANamesakeIsDropped(t *testing.T) {
	t.Parallel()
	w, objects := newWritten(), map[plan.Key]*unstructured.Unstructured{}
	w.remember(config("10"))
	namesake := shop
	namesake.UID = "uid-9"
	w.overlay(namesake, objects, nil)
	if len(objects)+len(w.byHome) != 0 {
		t.Errorf("the namesake sees %v, and %v is remembered", objects, w.byHome)
	}
}

func TestWritesOfAnotherNamespaceAreNotShown(t *testing.T) {
	t.Parallel()
	w, objects := newWritten(), map[plan.Key]*unstructured.Unstructured{}
	w.remember(config("10"))
	w.overlay(other, objects, nil)
	if len(objects) != 0 || len(w.byHome) != 1 {
		t.Errorf("the other environment sees %v, and %v is remembered", objects, w.byHome)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		gone *unstructured.Unstructured
		want bool
	}{
		"what is gone":               {config("11"), true},
		"a predecessor of that name": {object(shop, configMap, "config", "z", "11"), false},
		"an object never written":    {object(other, configMap, "config", "a", "11"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWritten()
			w.remember(config("10"))
			w.rememberDeleted(shop.Namespace, keyOf(config("10")), "a")
			w.forget(tc.gone)
			if got := len(w.byHome) == 0; got != tc.want {
				t.Errorf("forgotten: %t, want %t", got, tc.want)
			}
		})
	}
}

func TestAnOwnDeletionIsShownUntilTheWatchHasCaughtUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		seen    *unstructured.Unstructured
		going   bool
		dropped bool
	}{
		"the watch shows it as before":     {seen: config("10"), going: true},
		"the watch shows that it is going": {seen: going(config("11")), going: true, dropped: true},
		"it is gone":                       {dropped: true},
		"another one took its name":        {seen: object(shop, configMap, "config", "b", "12"), dropped: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, objects := newWritten(), map[plan.Key]*unstructured.Unstructured{}
			key := keyOf(config("10"))
			if tc.seen != nil {
				objects[key] = tc.seen
			}
			before := tc.seen.DeepCopy()
			w.rememberDeleted(shop.Namespace, key, "a")
			w.overlay(shop, objects, nil)
			if got := objects[key] != nil && objects[key].GetDeletionTimestamp() != nil; got != tc.going {
				t.Errorf("it is going: %t, want %t; shown %v", got, tc.going, objects[key])
			}
			if diff := cmp.Diff(before, tc.seen); diff != "" {
				t.Errorf("what the watch holds was changed (-want +got):\n%s", diff)
			}
			if dropped := len(w.byHome) == 0; dropped != tc.dropped {
				t.Errorf("the deletion was dropped: %t, want %t", dropped, tc.dropped)
			}
		})
	}
}

// The race detector is what looks here.
func TestWrittenIsUsedByMany(t *testing.T) {
	t.Parallel()
	w := newWritten()
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		for _, do := range []func(o *unstructured.Unstructured){
			w.remember, w.forget,
			func(o *unstructured.Unstructured) { w.rememberDeleted(o.GetNamespace(), keyOf(o), o.GetUID()) },
			func(*unstructured.Unstructured) { w.overlay(shop, map[plan.Key]*unstructured.Unstructured{}, nil) },
		} {
			all.Go(func() {
				for range 50 {
					do(object(shop, configMap, name, name, "10"))
				}
			})
		}
	}
	all.Wait()
	for _, name := range []string{"a", "b", "c", "d"} {
		w.remember(object(shop, configMap, name, name, "10"))
	}
	objects := map[plan.Key]*unstructured.Unstructured{}
	w.overlay(shop, objects, nil)
	var got []string
	for key := range objects {
		got = append(got, key.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestUserIsTheServiceAccount(t *testing.T) {
	t.Parallel()
	if got, want := User(shop), "system:serviceaccount:team-a:deployer"; got != want {
		t.Errorf("User() = %q, want %q", got, want)
	}
}
