//go:build e2e

// Package e2e proves Spock's promises on a real cluster, the one of KUBECONFIG, in which
// Spock and Tekton are installed. Every test brings its own namespace, class, templates
// and product, and takes them away again.
//
// What counts is what the cluster says: objects, the API server's audit log, an answer
// through the ingress. Spock's own word is compared with it, never taken for it.
package e2e

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	pipeline "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/client/clientset/versioned"
)

// sideBySide is how many tests a small machine takes at once.
const sideBySide = "3"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// cluster is the cluster under test.
type cluster struct {
	kubeconfig string
	kube       kubernetes.Interface
	dynamic    dynamic.Interface
	spock      versioned.Interface
	tekton     pipeline.Interface
	settings   map[string]string // what is known of it beyond its API; empty for a foreign one
}

var connect = sync.OnceValues(func() (*cluster, error) {
	settings, err := readSettings()
	if err != nil {
		return nil, err
	}
	path := cmp.Or(os.Getenv("KUBECONFIG"), settings["KUBECONFIG"])
	if path == "" {
		return nil, nil
	}
	if path != settings["KUBECONFIG"] && os.Getenv("SPOCK_CLUSTER_ENV") == "" {
		settings = map[string]string{} // they are another cluster's
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", path, err)
	}
	config.QPS, config.UserAgent = -1, "spock-e2e"
	return newCluster(path, config, settings)
})

func newCluster(path string, config *rest.Config, settings map[string]string) (*cluster, error) {
	c := &cluster{kubeconfig: path, settings: settings}
	var errs [4]error
	c.kube, errs[0] = kubernetes.NewForConfig(config)
	c.dynamic, errs[1] = dynamic.NewForConfig(config)
	c.spock, errs[2] = versioned.NewForConfig(config)
	c.tekton, errs[3] = pipeline.NewForConfig(config)
	return c, errors.Join(errs[:]...)
}

// readSettings reads the NAME=value lines that the local cluster writes about itself.
func readSettings() (map[string]string, error) {
	settings := map[string]string{}
	file, err := os.Open(cmp.Or(os.Getenv("SPOCK_CLUSTER_ENV"), "../../.cluster/env"))
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings of the cluster: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			settings[name] = value
		}
	}
	return settings, lines.Err()
}

// setting is one that the test cannot do without.
func (c *cluster) setting(t *testing.T, name string) string {
	t.Helper()
	value := c.settings[name]
	if value == "" {
		t.Skipf("the cluster's settings have no %s: SPOCK_CLUSTER_ENV names the file", name)
	}
	return value
}

// image is an image that the nodes have or can pull at once.
func (c *cluster) image(name string) string {
	return cmp.Or(c.settings["POD_REGISTRY"], "registry.localhost:5000") + "/" + name
}
