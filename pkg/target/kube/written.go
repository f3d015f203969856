package kube

import (
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// written remembers our own writes until the watch has caught up with them, so that
// no object is written twice and no gate is judged on what was there before.
type written struct {
	mu     sync.Mutex
	byHome map[string]map[plan.Key]*unstructured.Unstructured // by namespace of the objects
}

func newWritten() *written {
	return &written{byHome: map[string]map[plan.Key]*unstructured.Unstructured{}}
}

func keyOf(o *unstructured.Unstructured) plan.Key {
	return plan.Key{GroupVersionKind: o.GroupVersionKind(), Name: o.GetName()}
}

func (w *written) remember(o *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	home := w.byHome[o.GetNamespace()]
	if home == nil {
		home = map[plan.Key]*unstructured.Unstructured{}
		w.byHome[o.GetNamespace()] = home
	}
	home[keyOf(o)] = o
}

// forget drops a write whose object is gone.
func (w *written) forget(o *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	home, key := w.byHome[o.GetNamespace()], keyOf(o)
	if mine, ok := home[key]; ok && mine.GetUID() == o.GetUID() {
		delete(home, key)
	}
}

// overlay puts our writes over what the watch has seen, where it has not seen them.
func (w *written) overlay(scope target.Scope, objects map[plan.Key]*unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, mine := range w.byHome[scope.Namespace] {
		seen := objects[key]
		switch {
		case !target.Owned(scope, mine):
			delete(w.byHome[scope.Namespace], key)
		case seen != nil && !older(seen, mine):
			delete(w.byHome[scope.Namespace], key)
		default:
			objects[key] = mine
		}
	}
}

// older compares resource versions, which are numbers that grow for the objects of a
// kind. One that is no number counts as newer: then the watch is believed.
func older(a, b *unstructured.Unstructured) bool {
	x, errX := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	y, errY := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errX == nil && errY == nil && x < y
}
