// Package boot brings a cluster up and takes it down: the order of everything
// that the other packages know how to do. Both are repeatable. Up on a running
// cluster only looks, and never takes it away from those who use it; after an
// interrupted run, or a restart of the machine, it first clears what that left.
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
	"spock.dev/spock/hack/cluster/internal/machine"
	"spock.dev/spock/hack/cluster/internal/network"
	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

// Cluster is a cluster of a name, kept in a folder.
type Cluster struct {
	Name  string
	State state.Dir
	Root  string // folder of this tool's module
	// Machines to deploy to that are booted beside the node.
	Machines int
	Say      func(format string, args ...any)
}

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
	if p, err := c.State.Plan(); err == nil && c.runs(p) {
		if err := c.check(ctx, p); err != nil {
			return err
		}
		return c.machines(ctx, p)
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
	if err := c.start(ctx, parts); err != nil {
		return err
	}
	p, err := c.State.Plan()
	if err != nil {
		return err
	}
	return c.machines(ctx, p)
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
	if c.State.Simulated() {
		unlock()
		return nil, fmt.Errorf("%s holds a simulated cluster: end it with `make cluster-down`", c.State)
	}
	p, err := c.State.Plan()
	if err == nil && p.Name != c.Name {
		unlock()
		return nil, fmt.Errorf("%s holds cluster %s, not %s: give -name %s or another -state", c.State, p.Name, c.Name, p.Name)
	}
	return unlock, nil
}

// runs says whether an `up` came to its end and its node lives.
func (c *Cluster) runs(p plan.Plan) bool {
	_, err := os.Stat(c.State.Env())
	return err == nil && len(cgroup.Processes(p.NodeCgroup())) > 0
}

// patience is how long a running cluster may take to become healthy: the
// machine may be busy.
const patience = 90 * time.Second

// check is `up` on a running cluster.
func (c *Cluster) check(ctx context.Context, p plan.Plan) error {
	if len(cgroup.Processes(p.HostCgroup())) == 0 {
		if err := c.forward(p); err != nil {
			return err
		}
	}
	late, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := c.healthy(late, p)
		if err == nil {
			c.Say("cluster %s is up; KUBECONFIG=%s", c.Name, c.State.Kubeconfig())
			return nil
		}
		c.Say("cluster %s is not healthy yet: %v", c.Name, err)
		select {
		case <-late.Done():
			return fmt.Errorf("cluster %s runs but is not healthy: %w; look into %s, or run `cluster down` and `cluster up`", c.Name, err, c.State.Log())
		case <-time.After(2 * time.Second):
		}
	}
}

// healthy looks at everything that users touch.
func (c *Cluster) healthy(ctx context.Context, p plan.Plan) error {
	if !c.runs(p) {
		return errors.New("the last `up` did not come to its end, or the node is gone")
	}
	if len(cgroup.Processes(p.HostCgroup())) == 0 {
		return errors.New("the forwarder of its ports is gone")
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
	if err := machine.DownOf(ctx, p.Name); err != nil {
		return fmt.Errorf("ending the machines of cluster %s: %w", c.Name, err)
	}
	if err := network.Down(ctx, p); err != nil {
		return fmt.Errorf("removing the network of cluster %s: %w", c.Name, err)
	}
	// The empty folders that nodes mount over stay: removing one would detach the
	// mounts that other clusters' nodes have on it.
	return c.clearState(ctx)
}

// clearState tries again when a helper of a killed `up` was still writing.
func (c *Cluster) clearState(ctx context.Context) error {
	for {
		err := c.State.Clear()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
