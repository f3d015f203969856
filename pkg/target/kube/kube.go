// Package kube is the target for a Kubernetes cluster: it watches what Spock has
// written in all environments with one watch per kind, writes with one server-side
// apply per changed object, and does so as the environment's service account.
package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// Target is a cluster. It is safe for concurrent use.
type Target struct {
	mapper  meta.RESTMapper
	clients *clients
	watches *watches
	written *written
}

var _ target.Target = (*Target)(nil)

// New returns the target for the cluster of config and starts to watch the usual
// kinds; ctx ends the watches. changed is called with the environment of every object
// that moved, from many goroutines.
func New(ctx context.Context, config *rest.Config, changed func(types.NamespacedName)) (*Target, error) {
	config = unthrottled(config)
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client: %w", err)
	}
	t := &Target{
		mapper:  restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco)),
		clients: newClients(config),
		written: newWritten(),
	}
	t.watches, err = newWatches(ctx, config, changed, t.written.forget)
	if err != nil {
		return nil, err
	}
	for kind, resource := range usual {
		t.watches.start(kind, resource)
	}
	return t, nil
}

// unthrottled lifts the client's own rate limit: the apiserver's answers (429 and its
// priority levels) are what slows the engine down.
func unthrottled(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.QPS = -1
	return c
}

// Observe implements target.Target.
func (t *Target) Observe(_ context.Context, scope target.Scope, kinds []schema.GroupVersionKind) (target.State, error) {
	for _, kind := range kinds {
		if err := t.ensure(kind); err != nil {
			return target.State{}, err
		}
	}
	if !t.watches.synced(scope.Environment) {
		return target.State{}, target.ErrNotSynced
	}
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}, Pods: map[string][]*corev1.Pod{}}
	for _, o := range t.watches.objects(scope.Environment) {
		if o.GetNamespace() == scope.Namespace {
			state.Objects[plan.Key{GroupVersionKind: o.GroupVersionKind(), Name: o.GetName()}] = o
		}
	}
	t.written.overlay(scope, state.Objects)
	for _, p := range t.watches.pods(scope.Environment) {
		if p.Namespace == scope.Namespace {
			service := p.Labels[v1alpha1.LabelService]
			state.Pods[service] = append(state.Pods[service], p)
		}
	}
	return state, nil
}

func (t *Target) ensure(kind schema.GroupVersionKind) error {
	if t.watches.has(kind) {
		return t.watches.trouble(kind)
	}
	mapping, err := t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return &target.KindError{Kind: kind, Err: fmt.Errorf("the cluster does not know the kind: %w", err)}
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return &target.KindError{Kind: kind, Err: fmt.Errorf("the kind is not namespaced, and an environment owns only what is in its namespace")}
	}
	t.watches.start(kind, mapping.Resource)
	return nil
}
