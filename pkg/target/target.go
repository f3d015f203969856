// Package target is the door to a place services run in. The engine knows targets
// only through it: what is there, write this, delete that. Package kube is the
// target for a Kubernetes cluster.
package target

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

// Scope says whose objects are meant, and as whom they are written.
type Scope struct {
	// Environment that owns the objects.
	Environment types.NamespacedName
	// UID of that Environment.
	UID types.UID
	// Namespace the objects live in.
	Namespace string
	// ServiceAccount, in the Environment's namespace, as which they are written.
	ServiceAccount string
	// Hosts is the namespace of the machines; the Environment's when empty.
	Hosts string
	// Run is recorded on what is written.
	Run string
}

// State is what is there.
type State struct {
	// Objects that are labelled as the environment's, by key. Owned tells which of them
	// it owns. Read-only.
	Objects map[plan.Key]*unstructured.Unstructured
	// Pods by service. Read-only.
	Pods map[string][]*corev1.Pod
	// Answers are what the failing probes of the containers that run got last, in the words
	// of their nodes. Read-only.
	Answers map[Container]string
}

// Container is one of the environment's namespace.
type Container struct{ Pod, Name string }

// Target is a place services run in. Implementations are safe for concurrent use.
type Target interface {
	// Observe returns what is there, from watches: it costs no request. Own writes are
	// part of it as soon as they have returned. It fails with ErrNotSynced before the
	// first lists are there, and with a KindError when a kind cannot be watched; the
	// environment is reported as changed when a watch has come up after all.
	Observe(ctx context.Context, scope Scope, kinds []schema.GroupVersionKind) (State, error)
	// Apply makes an object as desired, in one request. mine says that the object there
	// is known to be the environment's own.
	Apply(ctx context.Context, scope Scope, object plan.Object, mine bool) error
	// Delete deletes the object with this uid, after everything it owns but the pods that
	// State shows: they may outlive it. An object that is gone, or is another one by now, is
	// no error.
	Delete(ctx context.Context, scope Scope, key plan.Key, uid types.UID) error
	// Room says in a clause how much of a resource would fit, for a pod that no node takes.
	Room(ctx context.Context, scope Scope, pod string, short corev1.ResourceName) (string, error)
	// Log returns the last lines of a container, of its previous instance if asked.
	Log(ctx context.Context, scope Scope, pod, container string, previous bool, lines int64) (string, error)
}

// Owned says whether the environment of a scope owns an object.
func Owned(scope Scope, o *unstructured.Unstructured) bool {
	return Annotation(o, v1alpha1.AnnotationEnvironmentUID) == string(scope.UID)
}

// Annotation returns one annotation of an object; empty when it has none of this name. The
// object's own method copies all of them, which each look at a service would pay for.
func Annotation(o *unstructured.Unstructured, name string) string {
	metadata, _ := o.Object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	value, _ := annotations[name].(string)
	return value
}
