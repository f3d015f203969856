// Package spock puts Spock into the bed and drives it as its users do: by an Environment.
package spock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/work"
)

// Account is the user as which the controller runs, with the rights that config/ gives it.
const Account = "system:serviceaccount:spock-system:spock-controller"

// Spock is a controller in a bed.
type Spock struct {
	bed     *bed.Bed
	client  dynamic.Interface
	kube    kubernetes.Interface
	mapper  meta.ResettableRESTMapper
	program string
	process *bed.Process
}

// Install builds the controller of the repository at root, applies its manifests and
// starts it.
func Install(ctx context.Context, b *bed.Bed, root string) (*Spock, error) {
	config := b.Config("bench")
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	s := &Spock{
		bed: b, client: client, kube: kube, program: filepath.Join(b.Dir, "controller"),
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discovery.NewDiscoveryClientForConfigOrDie(config))),
	}
	if err := s.build(ctx, root); err != nil {
		return nil, err
	}
	tekton, err := tektonModule(ctx, root)
	if err != nil {
		return nil, err
	}
	for _, pattern := range []string{filepath.Join(tekton, "config", "300-crds", "300-customrun.yaml"), filepath.Join(root, "config", "*.yaml"), filepath.Join(root, "config", "300-crds", "*.yaml")} {
		if err := s.applyFiles(ctx, pattern); err != nil {
			return nil, err
		}
	}
	for _, text := range []string{commons, templates[""], templates[work.Unschedulable], templates[work.OverQuota], templates[work.BadField]} {
		if err := s.applyText(ctx, text); err != nil {
			return nil, err
		}
	}
	return s, s.Start(ctx)
}

func (s *Spock) build(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", s.program, "./cmd/custom-task-controller")
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

// Start starts the controller and waits until it leads.
func (s *Spock) Start(ctx context.Context) error {
	token, err := s.kube.CoreV1().ServiceAccounts("spock-system").CreateToken(ctx, "spock-controller", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("get a token for the controller: %w", err)
	}
	kubeconfig := filepath.Join(s.bed.Dir, "controller.kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(s.bed.Kubeconfig(token.Status.Token)), 0o600); err != nil {
		return fmt.Errorf("write the controller's kubeconfig: %w", err)
	}
	s.process, err = bed.Run("the controller", filepath.Join(s.bed.Dir, "controller.log"), []string{
		"KUBECONFIG=" + kubeconfig, "SYSTEM_NAMESPACE=spock-system", "POD_NAME=spock-controller-0", "POD_UID=bed", // as a container that is started again in its pod
		"CONFIG_LEADERELECTION_NAME=config-leader-election", "CONFIG_LOGGING_NAME=config-logging", "CONFIG_OBSERVABILITY_NAME=config-observability",
	}, s.program)
	return err
}

// Stop kills the controller.
func (s *Spock) Stop() { s.process.Kill() }

// Usage is what the controller has used since it started.
func (s *Spock) Usage() (bed.Usage, error) {
	if err := s.process.Ended(); err != nil {
		return bed.Usage{}, err
	}
	return s.process.Usage()
}

// applyFiles applies the manifests of files, without the Deployment: the controller runs
// as a process.
func (s *Spock) applyFiles(ctx context.Context, pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("there are no manifests %s: %w", pattern, errors.Join(err, os.ErrNotExist))
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read manifests: %w", err)
		}
		if err := s.applyText(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *Spock) applyText(ctx context.Context, text string) error {
	for decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a manifest: %w", err)
		}
		if o.Object == nil || o.GetKind() == "Deployment" {
			continue
		}
		if err := s.Apply(ctx, o); err != nil {
			return err
		}
	}
}

// Apply applies an object. A kind that was defined a moment ago is waited for.
func (s *Spock) Apply(ctx context.Context, o *unstructured.Unstructured) error {
	kind := o.GroupVersionKind()
	var last error
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			s.mapper.Reset()
			last = err
			return false, nil
		}
		var to dynamic.ResourceInterface = s.client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			to = s.client.Resource(mapping.Resource).Namespace(o.GetNamespace())
		}
		_, last = to.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "bench", Force: true})
		return !apierrors.IsNotFound(last), nil
	})
	if err = errors.Join(err, last); err != nil && last != nil {
		return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}
