package target

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

// onHost is the kind of the objects that live on machines.
var onHost = v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KindHostService)

// joined is a cluster and the machines beside it.
type joined struct{ cluster, hosts Target }

// Join makes one target of a cluster and of machines: services on machines go to these,
// everything else to the cluster. What is there is what is in either.
func Join(cluster, hosts Target) Target { return joined{cluster, hosts} }

// of is where objects of a kind live.
func (j joined) of(kind schema.GroupVersionKind) Target {
	if kind == onHost {
		return j.hosts
	}
	return j.cluster
}

// Observe implements Target.
func (j joined) Observe(ctx context.Context, scope Scope, kinds []schema.GroupVersionKind) (State, error) {
	kinds = slices.DeleteFunc(slices.Clone(kinds), func(kind schema.GroupVersionKind) bool { return kind == onHost })
	state, err := j.cluster.Observe(ctx, scope, kinds)
	if err != nil {
		return State{}, err
	}
	hosts, err := j.hosts.Observe(ctx, scope, nil)
	if err != nil {
		return State{}, err
	}
	if len(hosts.Objects) == 0 {
		return state, nil
	}
	objects := make(map[plan.Key]*unstructured.Unstructured, len(state.Objects)+len(hosts.Objects))
	maps.Copy(objects, state.Objects)
	maps.Copy(objects, hosts.Objects)
	state.Objects = objects
	return state, nil
}

// Apply implements Target.
func (j joined) Apply(ctx context.Context, scope Scope, object plan.Object, mine bool) error {
	return j.of(object.GroupVersionKind).Apply(ctx, scope, object, mine)
}

// Delete implements Target.
func (j joined) Delete(ctx context.Context, scope Scope, key plan.Key, uid types.UID) error {
	return j.of(key.GroupVersionKind).Delete(ctx, scope, key, uid)
}

// Room implements Target: only a cluster has nodes.
func (j joined) Room(ctx context.Context, scope Scope, pod string, short corev1.ResourceName) (string, error) {
	return j.cluster.Room(ctx, scope, pod, short)
}

// Log implements Target. A pod is of the cluster; the last lines of a service on a machine
// come with its cause.
func (j joined) Log(ctx context.Context, scope Scope, pod, container string, previous bool, lines int64) (string, error) {
	return j.cluster.Log(ctx, scope, pod, container, previous, lines)
}
