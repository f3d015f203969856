// Package manifest reads manifests and applies them to the bed. It waits for no object to
// become anything, and for a kind only as long as its definition is new.
package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Read returns the objects of a text of many documents, in their order.
func Read(text string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read a manifest: %w", err)
		case len(o.Object) > 0:
			all = append(all, o)
		}
	}
}

// ReadFiles returns the objects of all files that match one of the patterns, in the
// patterns' order. A pattern without a file is an error.
func ReadFiles(patterns ...string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("there are no manifests %s: %w", pattern, errors.Join(err, os.ErrNotExist))
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read manifests: %w", err)
			}
			some, err := Read(string(text))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, some...)
		}
	}
	return all, nil
}

// Applier applies objects by server-side apply.
type Applier struct {
	manager string
	client  dynamic.Interface
	mapper  meta.ResettableRESTMapper
}

// New makes an applier that is known as a field manager.
func New(config *rest.Config, manager string) (*Applier, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Applier{manager: manager, client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))}, nil
}

// Apply applies objects in their order. A kind that was defined a moment ago is waited for.
func (a *Applier) Apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, o := range objects {
		if err := a.apply(ctx, o, nil); err != nil {
			return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// Try asks whether an object would be taken, and changes nothing.
func (a *Applier) Try(ctx context.Context, o *unstructured.Unstructured) error {
	return a.apply(ctx, o, []string{metav1.DryRunAll})
}

func (a *Applier) apply(ctx context.Context, o *unstructured.Unstructured, dryRun []string) error {
	kind := o.GroupVersionKind()
	var last error
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			a.mapper.Reset()
			last = err
			return false, nil
		}
		var to dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			to = a.client.Resource(mapping.Resource).Namespace(o.GetNamespace())
		}
		_, last = to.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: a.manager, Force: true, DryRun: dryRun})
		return !apierrors.IsNotFound(last), nil
	})
	if last != nil {
		return errors.Join(err, last)
	}
	return nil
}
