package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/content"
	"spock.dev/spock/hack/cluster/internal/ingress"
	"spock.dev/spock/hack/cluster/internal/network"
	"spock.dev/spock/hack/cluster/internal/node"
	"spock.dev/spock/hack/cluster/internal/pki"
	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/registry"
	"spock.dev/spock/hack/cluster/internal/store"
	"spock.dev/spock/hack/cluster/internal/tekton"
)

// namespaces are those whose Deployments make a cluster usable.
var namespaces = []string{"tekton-pipelines", "tekton-pipelines-resolvers", ingress.Namespace}

// start boots a cluster on a machine that has no trace of it.
func (c *Cluster) start(ctx context.Context, parts *parts) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	p, err := c.network(ctx)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return c.disk(ctx, parts) },
		func() error { return pki.Make(c.State.PKI(), p) },
		func() error { return c.forUsers(parts) },
		func() error { return node.Start(ctx, c.spec(p, parts)) },
		func() error { return c.forward(p) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	c.Say("node started")
	if err := c.install(ctx, p, parts); err != nil {
		return fmt.Errorf("%w; logs are in %s", err, c.State.Log())
	}
	if len(cgroup.Processes(p.HostCgroup())) == 0 {
		return fmt.Errorf("the forwarder of the cluster's ports has ended; its log is in %s", c.State.Log())
	}
	if err := os.WriteFile(c.State.Env(), []byte(c.State.Settings(p)), 0o644); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	c.Say("cluster %s is up; KUBECONFIG=%s", c.Name, c.State.Kubeconfig())
	return nil
}

// network takes the first free index and claims it by its bridge. One run of the
// tool does this at a time.
func (c *Cluster) network(ctx context.Context) (plan.Plan, error) {
	kept, err := cache.Open()
	if err != nil {
		return plan.Plan{}, err
	}
	unlock, err := kept.Lock("addresses")
	if err != nil {
		return plan.Plan{}, err
	}
	defer unlock()
	for i := range plan.Max {
		p, err := plan.New(c.Name, i)
		if err != nil {
			return p, err
		}
		if network.Taken(p) {
			continue
		}
		if err := c.State.SavePlan(p); err != nil {
			return p, err
		}
		return p, network.Up(ctx, p)
	}
	return plan.Plan{}, errors.New("no free addresses and ports for one more cluster: take one down")
}

// disk makes the node's disk and fills the registry.
func (c *Cluster) disk(ctx context.Context, parts *parts) error {
	for _, dir := range []string{c.State.Disk(), c.State.Conf(), c.State.Registry(), c.State.Bin()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("creating the cluster's state: %w", err)
		}
	}
	if err := os.WriteFile(c.State.Hosts(), []byte("# ADDRESS NAME...: more names for pods, read again within seconds\n"), 0o644); err != nil {
		return fmt.Errorf("creating the hosts file: %w", err)
	}
	for _, img := range parts.images {
		repo, tag, ok := img.InRegistry()
		if !ok {
			continue
		}
		if err := registry.Seed(c.State.Registry(), img.Layout, repo, tag); err != nil {
			return err
		}
	}
	return store.Copy(ctx, parts.store, filepath.Join(c.State.Disk(), "containerd"))
}

// forUsers puts the kubeconfig and the programs where users look for them.
func (c *Cluster) forUsers(parts *parts) error {
	admin, err := os.ReadFile(filepath.Join(c.State.PKI(), pki.Admin+".kubeconfig"))
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if err := os.WriteFile(c.State.Kubeconfig(), admin, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	links := map[string]string{"kubectl": parts.programs.Path("kubebox", "kubebox"), "tkn": parts.programs.Path("tkn", "tkn")}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(c.State.Bin(), name)); err != nil {
			return fmt.Errorf("linking %s: %w", name, err)
		}
	}
	return copySelf(c.self())
}

// self is a copy of this program: `go run` deletes its own when it ends.
func (c *Cluster) self() string { return filepath.Join(c.State.Run(), "cluster") }

func copySelf(to string) error {
	src, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("copying this program: %w", err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return fmt.Errorf("copying this program: %w", err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return fmt.Errorf("copying this program: %w", err)
	}
	return dst.Close()
}

func (c *Cluster) spec(p plan.Plan, parts *parts) node.Spec {
	return node.Spec{Plan: p, State: c.State, Self: c.self(), Kubebox: parts.programs.Path("kubebox", "kubebox"),
		ModCache: parts.modules, Pause: content.Pause}
}

// ForwardCommand is the hidden command that serves the node's ports on 127.0.0.1.
const ForwardCommand = "forward"

// forward starts the forwarder in a cgroup of its own, by which it is found again.
func (c *Cluster) forward(p plan.Plan) error {
	if err := cgroup.Create(p.HostCgroup()); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.State.Log(), "forward.log"))
	if err != nil {
		return fmt.Errorf("creating the forwarder's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(c.self(), ForwardCommand, p.HostCgroup(),
		fmt.Sprintf("127.0.0.1:%d=%s:%d", p.PushPort(), p.NodeIP(), plan.RegistryPort),
		fmt.Sprintf("127.0.0.1:%d=%s:%d", p.IngressPort(), p.NodeIP(), p.IngressPort()))
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the forwarder: %w", err)
	}
	return cmd.Process.Release()
}

// install applies Tekton and the ingress, and waits until all of it is available.
func (c *Cluster) install(ctx context.Context, p plan.Plan, parts *parts) error {
	client := c.client()
	if err := client.Await(ctx); err != nil {
		return err
	}
	c.Say("API server ready")
	for _, manifest := range []string{storageClass, ingress.Manifest(p)} {
		if err := client.ApplyText(ctx, manifest); err != nil {
			return err
		}
	}
	for _, file := range []string{tekton.First, tekton.Deployments, tekton.Last} {
		if err := client.Apply(ctx, filepath.Join(parts.manifests, file)); err != nil {
			return err
		}
	}
	c.Say("Tekton and the ingress applied")
	if err := client.WaitNode(ctx, p.NodeName()); err != nil {
		return err
	}
	for _, ns := range namespaces {
		if err := client.WaitAvailable(ctx, ns); err != nil {
			return err
		}
	}
	c.Say("Tekton ready")
	return nil
}

// storageClass is served by the controller manager's own host-path provisioner.
const storageClass = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: host
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/host-path
reclaimPolicy: Delete
volumeBindingMode: Immediate
`
