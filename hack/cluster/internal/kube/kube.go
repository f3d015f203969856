// Package kube talks to the cluster through its own kubectl.
package kube

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"spock.dev/spock/hack/cluster/internal/host"
)

// Client is a kubectl with a kubeconfig.
type Client struct {
	Kubectl    string
	Kubeconfig string
}

func (c Client) run(ctx context.Context, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.Kubectl, append([]string{"--kubeconfig=" + c.Kubeconfig}, args...)...)
	cmd.Stdin = bytes.NewBufferString(stdin)
	return host.Run(host.Tied(cmd))
}

// Ready says whether the API server answers that it is ready.
func (c Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := c.run(ctx, "", "get", "--raw=/readyz")
	return err
}

// Apply applies a file, again and again until the API server takes it or ctx ends:
// a webhook may be registered and not yet ready.
func (c Client) Apply(ctx context.Context, file string) error {
	return retry(ctx, "applying "+file, func() error {
		_, err := c.run(ctx, "", "apply", "--server-side", "--force-conflicts", "-f", file)
		return err
	})
}

// ApplyText applies a manifest as Apply does.
func (c Client) ApplyText(ctx context.Context, manifest string) error {
	return retry(ctx, "applying a manifest", func() error {
		_, err := c.run(ctx, manifest, "apply", "--server-side", "--force-conflicts", "-f", "-")
		return err
	})
}

// WaitAvailable waits for every Deployment of a namespace.
func (c Client) WaitAvailable(ctx context.Context, namespace string) error {
	return c.wait(ctx, "-n", namespace, "wait", "--for=condition=Available", "deployment", "--all")
}

// WaitNode waits until the node takes pods.
func (c Client) WaitNode(ctx context.Context, name string) error {
	return c.wait(ctx, "wait", "--for=condition=Ready", "node/"+name)
}

func (c Client) wait(ctx context.Context, args ...string) error {
	return retry(ctx, strings.Join(args, " "), func() error {
		_, err := c.run(ctx, "", append(args, "--timeout=120s")...)
		return err
	})
}

// AllAvailable says whether every Deployment of a namespace is available now.
func (c Client) AllAvailable(ctx context.Context, namespace string) error {
	_, err := c.run(ctx, "", "-n", namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=1s")
	return err
}

// Await retries Ready until it holds or ctx ends.
func (c Client) Await(ctx context.Context) error {
	return retry(ctx, "waiting for the API server", func() error { return c.Ready(ctx) })
}

// retry calls f until it succeeds; when ctx ends, its error says what f said last.
func retry(ctx context.Context, what string, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (last: %w)", what, ctx.Err(), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
