// Package targettest is what every target.Target must pass, whatever it drives.
package targettest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// patience is how long a change may take to be seen.
const patience = time.Minute

// Fixture is a target to be tested, and two environments in it.
type Fixture struct {
	Target target.Target
	// Changed gives the environments that the target reports.
	Changed <-chan types.NamespacedName
	// Scope of an environment whose place is made and empty, and of another one.
	Scope, Other target.Scope
	// Kind of the objects to test with, ConfigMap when it has none. Content makes one hold a
	// value, and Value is what a live one holds.
	Kind    schema.GroupVersionKind
	Content func(o *unstructured.Unstructured, value string)
	Value   func(o *unstructured.Unstructured) string
}

// withDefaults fills in ConfigMaps, which every cluster has.
func (f Fixture) withDefaults() Fixture {
	if f.Kind.Kind != "" {
		return f
	}
	f.Kind = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	f.Content = func(o *unstructured.Unstructured, value string) { o.Object["data"] = map[string]any{"key": value} }
	f.Value = func(o *unstructured.Unstructured) string {
		value, _, _ := unstructured.NestedString(o.Object, "data", "key")
		return value
	}
	return f
}

func (f Fixture) kinds() []schema.GroupVersionKind { return []schema.GroupVersionKind{f.Kind} }

// Run tests the target that newTarget makes; each test has its own.
func Run(t *testing.T, newTarget func(t *testing.T) Fixture) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Fixture){
		"a target that is not in sync reports when it is": func(*testing.T, Fixture) {},
		"an own write is seen as soon as it has returned": seesOwnWrites,
		"the same applied twice is the same object":       appliesTwice,
		"a deletion with another uid leaves the object":   leavesNamesakes,
		"what is deleted is going at once, and then gone": deletes,
		"an environment sees what is its own alone":       seesItsOwn,
		"the log of a pod that is not there is an error":  hasNoLog,
	} {
		t.Run(name, func(t *testing.T) {
			f := newTarget(t).withDefaults()
			for _, scope := range []target.Scope{f.Scope, f.Other} {
				f.observe(t, scope, "in sync", func(target.State) bool { return true })
			}
			test(t, f)
		})
	}
}

func (f Fixture) object(scope target.Scope, name, value string) plan.Object {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(f.Kind)
	f.Content(o, value)
	o.SetName(name)
	o.SetNamespace(scope.Namespace)
	o.SetLabels(map[string]string{v1alpha1.LabelEnvironment: scope.Environment.Name, v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace})
	o.SetAnnotations(map[string]string{v1alpha1.AnnotationEnvironmentUID: string(scope.UID), v1alpha1.AnnotationHash: value})
	return plan.Object{Key: plan.Key{GroupVersionKind: f.Kind, Name: name}, Hash: value, Desired: o}
}

// observe waits until what a scope sees is as expected. It looks again only when the
// environment is reported, which is what a target owes.
func (f Fixture) observe(t *testing.T, scope target.Scope, expected string, is func(target.State) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		state, err := f.Target.Observe(t.Context(), scope, f.kinds())
		if err != nil && !errors.Is(err, target.ErrNotSynced) {
			t.Fatalf("observe: %v, want ErrNotSynced or nothing", err)
		}
		if err == nil && is(state) {
			return
		}
		for reported := false; !reported; {
			select {
			case env := <-f.Changed:
				reported = env == scope.Environment
			case <-late:
				t.Fatalf("%s was not reported for %s, and is not yet: %s; error %v, objects %v", scope.Environment, patience, expected, err, state.Objects)
			}
		}
	}
}

// apply writes an object and returns it as it is observed at once.
func (f Fixture) apply(t *testing.T, scope target.Scope, o plan.Object, mine bool) *unstructured.Unstructured {
	t.Helper()
	if err := f.Target.Apply(t.Context(), scope, o, mine); err != nil {
		t.Fatalf("apply %s: %v", o.Key, err)
	}
	return f.see(t, scope, o.Key)
}

func (f Fixture) see(t *testing.T, scope target.Scope, key plan.Key) *unstructured.Unstructured {
	t.Helper()
	state, err := f.Target.Observe(t.Context(), scope, f.kinds())
	if err != nil {
		t.Fatalf("observe: %v", err)
	}
	return state.Objects[key]
}

func (f Fixture) remove(t *testing.T, scope target.Scope, key plan.Key, uid types.UID) {
	t.Helper()
	if err := f.Target.Delete(t.Context(), scope, key, uid); err != nil {
		t.Fatalf("delete %s with uid %s: %v", key, uid, err)
	}
}

func seesOwnWrites(t *testing.T, f Fixture) {
	for _, value := range []string{"1", "2", "3"} {
		got := f.apply(t, f.Scope, f.object(f.Scope, "config", value), value != "1")
		if got == nil {
			t.Fatalf("value %s was applied, and nothing is seen", value)
		}
		if data := f.Value(got); data != value {
			t.Errorf("value %s was applied, and %q is seen", value, data)
		}
		if run := got.GetAnnotations()[v1alpha1.AnnotationRun]; run != f.Scope.Run {
			t.Errorf("the object tells of run %q, want %q", run, f.Scope.Run)
		}
	}
}

func appliesTwice(t *testing.T, f Fixture) {
	o := f.object(f.Scope, "config", "1")
	wish := o.Desired.DeepCopy()
	first, second := f.apply(t, f.Scope, o, false), f.apply(t, f.Scope, o, true)
	if first == nil || second == nil || first.GetUID() != second.GetUID() {
		t.Fatalf("applied once %v, twice %v; want the same object", first, second)
	}
	if diff := cmp.Diff(f.Value(first), f.Value(second)); diff != "" {
		t.Errorf("value (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(wish, o.Desired); diff != "" {
		t.Errorf("what is desired was changed (-want +got):\n%s", diff)
	}
}

func leavesNamesakes(t *testing.T, f Fixture) {
	o := f.object(f.Scope, "config", "1")
	before := f.apply(t, f.Scope, o, false)
	f.remove(t, f.Scope, o.Key, "of-another-one")
	f.remove(t, f.Scope, f.object(f.Scope, "not-there", "1").Key, "of-nobody")
	// A later write is refused or seen after a deletion that was wrongly done.
	after := f.apply(t, f.Scope, f.object(f.Scope, "config", "2"), true)
	if after == nil || after.GetUID() != before.GetUID() || after.GetDeletionTimestamp() != nil {
		t.Errorf("the object was %v and is %v", before, after)
	}
}

func deletes(t *testing.T, f Fixture) {
	o := f.object(f.Scope, "config", "1")
	made := f.apply(t, f.Scope, o, false)
	f.remove(t, f.Scope, o.Key, made.GetUID())
	if got := f.see(t, f.Scope, o.Key); got != nil && got.GetDeletionTimestamp() == nil {
		t.Errorf("the object was deleted and is seen as if it was not: %v", got)
	}
	f.observe(t, f.Scope, o.Key.String()+" is gone", func(s target.State) bool { return s.Objects[o.Key] == nil })
	f.remove(t, f.Scope, o.Key, made.GetUID())
}

func seesItsOwn(t *testing.T, f Fixture) {
	mine, theirs := f.object(f.Scope, "mine", "1"), f.object(f.Other, "theirs", "1")
	f.apply(t, f.Scope, mine, false)
	f.apply(t, f.Other, theirs, false)
	state, err := f.Target.Observe(t.Context(), f.Scope, f.kinds())
	if err != nil {
		t.Fatalf("observe: %v", err)
	}
	if state.Objects[mine.Key] == nil || state.Objects[theirs.Key] != nil {
		t.Fatalf("%s sees %v", f.Scope.Environment, state.Objects)
	}
	namesake := f.Scope
	namesake.UID = "of-a-namesake"
	got := f.see(t, namesake, mine.Key)
	if !target.Owned(f.Scope, state.Objects[mine.Key]) || got != nil && target.Owned(namesake, got) {
		t.Errorf("%s wrote %v, a namesake sees %v", f.Scope.UID, state.Objects[mine.Key], got)
	}
}

func hasNoLog(t *testing.T, f Fixture) {
	if text, err := f.Target.Log(t.Context(), f.Scope, "not-there", "main", false, 10); err == nil {
		t.Errorf("the log is %q", text)
	}
}
