package kube

import (
	"fmt"
	"sync"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"spock.dev/spock/pkg/target"
)

// client is the cluster as one user sees it.
type client struct {
	dynamic dynamic.Interface
	kube    kubernetes.Interface
}

func newClient(config *rest.Config) (*client, error) {
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a dynamic client: %w", err)
	}
	k, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &client{dynamic: d, kube: k}, nil
}

// clients are the clients of the service accounts that own environments. They share
// the controller's connection; only the impersonated user differs.
type clients struct {
	open   func(namespace, serviceAccount string) (*client, error)
	mu     sync.Mutex
	byUser map[string]*client
}

func newClients(open func(namespace, serviceAccount string) (*client, error)) *clients {
	return &clients{open: open, byUser: map[string]*client{}}
}

// User is the name as which a scope's objects are written.
func User(scope target.Scope) string {
	return user(scope.Environment.Namespace, scope.ServiceAccount)
}

func user(namespace, serviceAccount string) string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", namespace, serviceAccount)
}

// Impersonate returns the configuration of a service account.
func Impersonate(config *rest.Config, namespace, serviceAccount string) *rest.Config {
	c := rest.CopyConfig(config)
	// The apiserver adds the groups of a service account by itself.
	c.Impersonate = rest.ImpersonationConfig{UserName: user(namespace, serviceAccount)}
	return c
}

func (c *clients) as(scope target.Scope) (*client, error) {
	name := User(scope)
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, ok := c.byUser[name]; ok {
		return got, nil
	}
	got, err := c.open(scope.Environment.Namespace, scope.ServiceAccount)
	if err != nil {
		return nil, fmt.Errorf("act as %s: %w", name, err)
	}
	c.byUser[name] = got
	return got, nil
}
