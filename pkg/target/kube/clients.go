package kube

import (
	"fmt"
	"sync"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"spock.dev/spock/pkg/target"
)

// clients are the clients of the service accounts that own environments. They share
// the controller's connection; only the impersonated user differs.
type clients struct {
	config *rest.Config
	mu     sync.Mutex
	byUser map[string]*client
}

type client struct {
	dynamic dynamic.Interface
	kube    kubernetes.Interface
}

func newClients(config *rest.Config) *clients {
	return &clients{config: config, byUser: map[string]*client{}}
}

// User is the name as which a scope's objects are written.
func User(scope target.Scope) string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", scope.Environment.Namespace, scope.ServiceAccount)
}

// Impersonate returns the configuration of a service account.
func Impersonate(config *rest.Config, namespace, serviceAccount string) *rest.Config {
	c := rest.CopyConfig(config)
	// The apiserver adds the groups of a service account by itself.
	c.Impersonate.UserName = fmt.Sprintf("system:serviceaccount:%s:%s", namespace, serviceAccount)
	return c
}

func (c *clients) as(scope target.Scope) (*client, error) {
	user := User(scope)
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, ok := c.byUser[user]; ok {
		return got, nil
	}
	config := Impersonate(c.config, scope.Environment.Namespace, scope.ServiceAccount)
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", user, err)
	}
	k, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", user, err)
	}
	c.byUser[user] = &client{dynamic: d, kube: k}
	return c.byUser[user], nil
}
