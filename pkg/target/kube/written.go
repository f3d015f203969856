package kube

import (
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// written remembers our own writes until the watch has caught up with them, so that
// no object is written or deleted twice and no gate is judged on what was there before.
type written struct {
	mu     sync.Mutex
	byHome map[string]*writes // by namespace of the objects
}

// writes are those in one namespace.
type writes struct {
	applied map[plan.Key]*unstructured.Unstructured
	deleted map[plan.Key]types.UID
}

func newWritten() *written {
	return &written{byHome: map[string]*writes{}}
}

func keyOf(o *unstructured.Unstructured) plan.Key {
	return plan.Key{GroupVersionKind: o.GroupVersionKind(), Name: o.GetName()}
}

func (w *written) in(namespace string) *writes {
	home := w.byHome[namespace]
	if home == nil {
		home = &writes{applied: map[plan.Key]*unstructured.Unstructured{}, deleted: map[plan.Key]types.UID{}}
		w.byHome[namespace] = home
	}
	return home
}

// tidy drops a namespace of which nothing is remembered.
func (w *written) tidy(namespace string) {
	if home := w.byHome[namespace]; home != nil && len(home.applied)+len(home.deleted) == 0 {
		delete(w.byHome, namespace)
	}
}

func (w *written) remember(o *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in(o.GetNamespace()).applied[keyOf(o)] = o
}

// rememberDeleted keeps that an object is going.
func (w *written) rememberDeleted(namespace string, key plan.Key, uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in(namespace).deleted[key] = uid
}

// forget drops what is remembered of an object that is gone.
func (w *written) forget(o *unstructured.Unstructured) {
	w.drop(o.GetNamespace(), keyOf(o), o.GetUID())
}

func (w *written) drop(namespace string, key plan.Key, uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	home := w.byHome[namespace]
	if home == nil {
		return
	}
	if mine, ok := home.applied[key]; ok && mine.GetUID() == uid {
		delete(home.applied, key)
	}
	if home.deleted[key] == uid {
		delete(home.deleted, key)
	}
	w.tidy(namespace)
}

// overlay puts our writes over what the watches have seen, where they have not seen
// them. seen is the resource version up to which each kind was.
func (w *written) overlay(scope target.Scope, objects map[plan.Key]*unstructured.Unstructured, seen map[schema.GroupVersionKind]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	home := w.byHome[scope.Namespace]
	if home == nil {
		return
	}
	for key, mine := range home.applied {
		there := objects[key]
		switch {
		case !target.Owned(scope, mine),
			there != nil && !older(there.GetResourceVersion(), mine.GetResourceVersion()),
			// The watch is past our write and does not show it: somebody has deleted it.
			there == nil && reached(seen[key.GroupVersionKind], mine.GetResourceVersion()):
			delete(home.applied, key)
		default:
			objects[key] = mine
		}
	}
	for key, uid := range home.deleted {
		there := objects[key]
		if there == nil || there.GetUID() != uid || there.GetDeletionTimestamp() != nil {
			delete(home.deleted, key)
			continue
		}
		objects[key] = going(there)
	}
	w.tidy(scope.Namespace)
}

// going is the object as the apiserver keeps it once its deletion was accepted.
func going(o *unstructured.Unstructured) *unstructured.Unstructured {
	out, now := o.DeepCopy(), metav1.NewTime(time.Now())
	out.SetDeletionTimestamp(&now)
	return out
}

// older compares resource versions, which are numbers that grow for the objects of a
// kind. One that is no number counts as newer: then the watch is believed.
func older(a, b string) bool {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	return errX == nil && errY == nil && x < y
}

// reached says that resource version a is b or a later one, as far as they are numbers.
func reached(a, b string) bool { return a == b && a != "" || older(b, a) }
