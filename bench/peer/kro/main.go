// Command kro measures kro, a controller. A work is a ResourceGraphDefinition, applied before
// anything is measured, and an instance of it that names the image of each service, so that
// an update changes the instance alone. That a service needs another is told as kro's users
// tell it: by an expression that refers to it, and by when it is ready.
//
// As "default" it has the flags that its chart gives it; as "tuned" it reconciles ten
// instances at a time, comes back after 100 ms instead of three seconds, and its rate limits
// are out of the way.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/bench/peer"
)

// The controller ends with the benchmark, which the kernel remembers of the first thread: that
// one has to become the controller.
func init() { runtime.LockOSThread() }

func main() {
	peer.Main(peer.Peer{Modes: []string{"default", "tuned"}, Serve: serve, Prepare: prepare, Deploy: deploy, Teardown: teardown})
}

const module = "github.com/kubernetes-sigs/kro"

// serve installs what kro needs and becomes kro's own controller, built from its module.
func serve(ctx context.Context, job peer.Job) error {
	binary := filepath.Join(filepath.Dir(job.Kubeconfig), "kro-controller")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, module+"/cmd/controller").CombinedOutput(); err != nil {
		return fmt.Errorf("build kro: %w: %s", err, out)
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("find kro's module: %w", err)
	}
	if err := install(ctx, job, filepath.Join(strings.TrimSpace(string(dir)), "helm", "crds")); err != nil {
		return err
	}
	argv := append([]string{binary, "--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-log-level=error"}, flags(job.Mode)...)
	if err := syscall.Exec(binary, argv, append(os.Environ(), "KUBECONFIG="+job.Kubeconfig)); err != nil {
		return fmt.Errorf("start kro: %w", err)
	}
	return nil
}

func flags(mode string) []string {
	if mode == "default" {
		return nil
	}
	return []string{
		"--instance-requeue-interval=100ms", "--dynamic-controller-concurrent-reconciles=10",
		"--dynamic-controller-rate-limiter-rate-limit=1000", "--dynamic-controller-rate-limiter-burst-limit=1000",
		"--dynamic-controller-rate-limiter-min-delay=50ms", "--client-qps=1000", "--client-burst=2000",
	}
}

// install applies the kinds that kro's chart brings.
func install(ctx context.Context, job peer.Job, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("find kro's kinds in %s: %d files, %w", dir, len(files), err)
	}
	c, err := connect(job)
	if err != nil {
		return err
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read kro's kinds: %w", err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(raw, crd); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if err := c.define(ctx, crd); err != nil {
			return err
		}
	}
	return nil
}
