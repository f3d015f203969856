package cli

import (
	"fmt"

	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/client/clientset/versioned"
)

// Connection names a cluster and a namespace in it, as flags do. Empty fields are taken
// from the kubeconfig.
type Connection struct {
	Kubeconfig, Context, Namespace string
}

// Connect opens a cluster.
type Connect func(Connection) (*Cluster, error)

// Cluster is what commands ask.
type Cluster struct {
	// Namespace that is meant when none is named.
	Namespace string
	Spock     versioned.Interface
	Kube      kubernetes.Interface
	Tekton    tekton.Interface
	Dynamic   dynamic.Interface
	// Exec runs a command in a pod.
	Exec PodExec
	// Mapper finds the resource of a kind.
	Mapper meta.RESTMapper
}

// Kubeconfig is the Connect of a person's kubeconfig, or of the pod the program runs in.
func Kubeconfig(c Connection) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.Kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: c.Context})
	config, err := loaded.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	namespace := c.Namespace
	if namespace == "" {
		if namespace, _, err = loaded.Namespace(); err != nil {
			return nil, fmt.Errorf("read the namespace of the kubeconfig: %w", err)
		}
	}
	// A command makes a handful of requests and ends: the client's own limit only delays it.
	config.QPS = -1
	return clusterOf(config, namespace)
}

func clusterOf(config *rest.Config, namespace string) (*Cluster, error) {
	c := &Cluster{Namespace: namespace}
	var err error
	if c.Spock, err = versioned.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if c.Kube, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if c.Tekton, err = tekton.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	c.Exec = execIn(config, c.Kube.CoreV1().RESTClient())
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	return c, nil
}
