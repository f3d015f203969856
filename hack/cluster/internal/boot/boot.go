// Package boot brings a cluster up and takes it down: the order of everything
// that the other packages know how to do. Both are repeatable. Up on a healthy
// cluster only looks; after an interrupted run it first clears what that left.
package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/kube"
	"spock.dev/spock/hack/cluster/internal/network"
	"spock.dev/spock/hack/cluster/internal/node"
	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

// Cluster is a cluster of a name, kept in a folder.
type Cluster struct {
	Name  string
	State state.Dir
	Root  string // folder of this tool's module
	Say   func(format string, args ...any)
}

// lockDir holds what clusters of one machine must agree about.
const lockDir = "/run/spock-cluster"

// deadline bounds one `up` after everything is built.
const deadline = 5 * time.Minute

// Up makes the cluster usable, whatever state it is in.
func (c *Cluster) Up(ctx context.Context) error {
	if err := host.Check(); err != nil {
		return err
	}
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if p, err := c.State.Plan(); err == nil && c.healthy(ctx, p) == nil {
		c.Say("cluster %s is up; KUBECONFIG=%s", c.Name, c.State.Kubeconfig())
		return nil
	}
	if err := host.Install(ctx, host.Missing()); err != nil {
		return err
	}
	parts, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	if err := c.clear(ctx); err != nil {
		return err
	}
	return c.start(ctx, parts)
}

// Down removes the cluster; what was pushed to its registry stays in the state folder.
func (c *Cluster) Down(ctx context.Context) error {
	if err := host.Check(); err != nil {
		return err
	}
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.clear(ctx); err != nil {
		return err
	}
	c.Say("cluster %s is down", c.Name)
	return nil
}

// Status says in one sentence how the cluster is; its error says that it is not usable.
func (c *Cluster) Status(ctx context.Context) (string, error) {
	p, err := c.State.Plan()
	if errors.Is(err, state.ErrNone) {
		return "", fmt.Errorf("cluster %s is not up: run `cluster up`", c.Name)
	}
	if err != nil {
		return "", err
	}
	if err := c.healthy(ctx, p); err != nil {
		return "", fmt.Errorf("cluster %s is not healthy: %w; logs are in %s", p.Name, err, c.State.Log())
	}
	return fmt.Sprintf("cluster %s is up: KUBECONFIG=%s registry=%s ingress=http://*.localhost:%d",
		p.Name, c.State.Kubeconfig(), p.PushRegistry(), p.IngressPort()), nil
}

// Env returns the settings of the running cluster.
func (c *Cluster) Env() (string, error) {
	raw, err := os.ReadFile(c.State.Env())
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("cluster %s is not up: run `cluster up`", c.Name)
	}
	return string(raw), err
}

// lock keeps two runs of the tool off the same state folder, and refuses a
// folder that belongs to a cluster of another name.
func (c *Cluster) lock() (unlock func(), err error) {
	unlock, err = cache.Lock(c.State.Lock())
	if err != nil {
		return nil, err
	}
	p, err := c.State.Plan()
	if err == nil && p.Name != c.Name {
		unlock()
		return nil, fmt.Errorf("%s holds cluster %s, not %s: give -name %s or another -state", c.State, p.Name, c.Name, p.Name)
	}
	return unlock, nil
}

// healthy looks at everything that users touch.
func (c *Cluster) healthy(ctx context.Context, p plan.Plan) error {
	if _, err := os.Stat(c.State.Env()); err != nil {
		return errors.New("the last `up` did not come to its end")
	}
	if len(cgroup.Processes(p.NodeCgroup())) == 0 || len(cgroup.Processes(p.HostCgroup())) == 0 {
		return errors.New("its processes are gone")
	}
	client := c.client()
	if err := client.Ready(ctx); err != nil {
		return err
	}
	for _, ns := range namespaces {
		if err := client.AllAvailable(ctx, ns); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) client() kube.Client {
	return kube.Client{Kubectl: filepath.Join(c.State.Bin(), "kubectl"), Kubeconfig: c.State.Kubeconfig()}
}

// clear removes processes, cgroups, links and state. It finds them by the
// cluster's name, so it needs no record of how far an `up` came.
func (c *Cluster) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p, err := plan.New(c.Name, 0) // the names do not depend on the index
	if err != nil {
		return err
	}
	for _, name := range []string{p.NodeCgroup(), p.HostCgroup()} {
		if err := cgroup.Remove(ctx, name); err != nil {
			return err
		}
	}
	if err := network.Down(ctx, p); err != nil {
		return fmt.Errorf("removing the network of cluster %s: %w", c.Name, err)
	}
	if err := c.State.Clear(); err != nil {
		return err
	}
	for _, dir := range append(node.MountPoints(), lockDir) {
		_ = os.Remove(dir) // only if it is empty: nobody else uses it
	}
	return nil
}
