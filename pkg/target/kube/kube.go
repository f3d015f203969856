// Package kube is the target for a Kubernetes cluster: it watches what Spock has
// written in all environments with one watch per kind, writes with one server-side
// apply per changed object, and does so as the environment's service account.
package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"

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
	mapper  meta.ResettableRESTMapper
	own     *client // of the controller
	clients *clients
	watches *watches
	probes  *probes
	written *written
}

var _ target.Target = (*Target)(nil)

// New returns the target for the cluster of config and starts to watch the usual
// kinds; ctx ends the watches. changed is called with the environment of every object
// that moved, busy when the apiserver has refused a request because it has too much to
// do; both from many goroutines.
func New(ctx context.Context, config *rest.Config, changed func(types.NamespacedName), busy func()) (*Target, error) {
	config = unthrottled(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &listening{next: next, busy: busy} })
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client: %w", err)
	}
	own, err := newClient(config)
	if err != nil {
		return nil, err
	}
	users := newClients(func(namespace, serviceAccount string) (*client, error) {
		return newClient(Impersonate(config, namespace, serviceAccount))
	})
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	return newTarget(ctx, mapper, own, users, changed), nil
}

// newTarget watches with its own client and writes with those of the users.
func newTarget(ctx context.Context, mapper meta.ResettableRESTMapper, own *client, users *clients, changed func(types.NamespacedName)) *Target {
	t := &Target{mapper: mapper, own: own, clients: users, written: newWritten()}
	t.watches = newWatches(ctx, own, changed, t.written.forget)
	for kind, resource := range usual {
		t.watches.start(kind, resource)
	}
	t.probes = newProbes(ctx.Done(), own, t.watches.podsIn.informer, changed)
	return t
}

// unthrottled lifts the client's own rate limit: the apiserver's answers (429 and its
// priority levels) are what slows the engine down.
func unthrottled(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.QPS, c.RateLimiter = -1, nil
	return c
}

// Observe implements target.Target.
func (t *Target) Observe(_ context.Context, scope target.Scope, kinds []schema.GroupVersionKind) (target.State, error) {
	for _, kind := range kinds {
		if err := t.ensure(kind); err != nil {
			return target.State{}, err
		}
	}
	if err := t.watches.synced(scope.Environment, kinds); err != nil {
		return target.State{}, err
	}
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}, Pods: map[string][]*corev1.Pod{}, Answers: map[target.Container]string{}}
	// Asked before the objects are, so that it is not ahead of them.
	seen := t.watches.versions()
	for _, o := range t.watches.objects(scope.Environment) {
		if o.GetNamespace() == scope.Namespace {
			state.Objects[keyOf(o)] = o
		}
	}
	t.written.overlay(scope, state.Objects, seen)
	for _, p := range t.watches.pods(scope.Environment) {
		if p.Namespace == scope.Namespace {
			service := p.Labels[v1alpha1.LabelService]
			state.Pods[service] = append(state.Pods[service], p)
			t.probes.answers(p, state.Answers)
		}
	}
	return state, nil
}

func (t *Target) ensure(kind schema.GroupVersionKind) error {
	if t.watches.has(kind) {
		return nil
	}
	mapping, err := t.mapping(kind)
	if err != nil {
		return err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return &target.KindError{Kind: kind, Err: errors.New("the kind is not namespaced, and an environment owns only what is in its namespace")}
	}
	t.watches.start(kind, mapping.Resource)
	return nil
}
