// Package spock puts Spock into the bed and drives it as its users do: by an Environment.
package spock

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/manifest"
	"spock.dev/spock/bench/work"
)

// Account is the user as which the controller runs, with the rights that config/ gives it.
const Account = "system:serviceaccount:spock-system:spock-controller"

// Spock is a controller in a bed.
type Spock struct {
	*manifest.Applier

	bed        *bed.Bed
	client     dynamic.Interface
	program    string
	deployment *unstructured.Unstructured
	process    *bed.Process
}

// Install builds the controller of the repository at root, applies its manifests with the
// one definition of Tekton's that it needs, and starts it.
func Install(ctx context.Context, b *bed.Bed, root string) (*Spock, error) {
	s, err := Prepare(ctx, b, root)
	if err != nil {
		return nil, err
	}
	tekton, err := tektonModule(ctx, root)
	if err != nil {
		return nil, err
	}
	definition, err := manifest.ReadFiles(filepath.Join(tekton, "config", "300-crds", "300-customrun.yaml"))
	if err != nil {
		return nil, err
	}
	mine, err := manifest.Read(commons + templates[""] + templates[work.Unschedulable] + templates[work.OverQuota] + templates[work.BadField])
	if err != nil {
		return nil, err
	}
	if err := s.Apply(ctx, append(definition, mine...)...); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// Prepare builds the controller of the repository at root and applies its manifests.
func Prepare(ctx context.Context, b *bed.Bed, root string) (*Spock, error) {
	config := b.Config("bench")
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	applier, err := manifest.New(config, "bench")
	if err != nil {
		return nil, err
	}
	s := &Spock{Applier: applier, bed: b, client: client, program: filepath.Join(b.Dir, "controller")}
	if err := s.build(ctx, root); err != nil {
		return nil, err
	}
	return s, s.apply(ctx, root)
}

// apply applies the manifests but the Deployment: the controller runs as a process.
func (s *Spock) apply(ctx context.Context, root string) error {
	all, err := manifest.ReadFiles(filepath.Join(root, "config", "*.yaml"), filepath.Join(root, "config", "300-crds", "*.yaml"))
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.GetKind() == "Deployment" {
			s.deployment = o
			continue
		}
		if err := s.Apply(ctx, o); err != nil {
			return err
		}
	}
	if s.deployment == nil {
		return errors.New("there is no Deployment of the controller among its manifests")
	}
	return nil
}

// build builds the controller with the flags of ko.yaml, with which it is shipped.
func (s *Spock) build(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags=kustomize_disable_go_plugin_support", "-ldflags=-s -w", "-o", s.program, "./cmd/custom-task-controller")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the controller: %w: %s", err, out)
	}
	return nil
}

func tektonModule(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tektoncd/pipeline")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find Tekton's manifests: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Start starts the controller.
func (s *Spock) Start(ctx context.Context) error {
	ports, err := bed.FreePorts(2)
	if err != nil {
		return err
	}
	s.process, err = s.bed.RunDeployment(ctx, s.deployment, s.program, bed.KnativePorts(ports[0], ports[1])...)
	return err
}

// Stop kills the controller.
func (s *Spock) Stop() { s.process.Kill() }

// Ended is closed when the controller has ended.
func (s *Spock) Ended() <-chan struct{} { return s.process.Done() }

// Usage is what the controller has used since it started.
func (s *Spock) Usage() (bed.Usage, error) {
	if err := s.process.Ended(); err != nil {
		return bed.Usage{}, err
	}
	return s.process.Usage()
}
