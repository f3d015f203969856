package main

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"spock.dev/spock/bench/peer"
)

var (
	kinds       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	definitions = schema.GroupVersionResource{Group: "kro.run", Version: "v1alpha1", Resource: "resourcegraphdefinitions"}
)

// cluster is where kro runs.
type cluster struct{ dynamic.Interface }

func connect(job peer.Job) (cluster, error) {
	client, err := dynamic.NewForConfig(job.Config)
	if err != nil {
		return cluster{}, fmt.Errorf("make a client: %w", err)
	}
	return cluster{client}, nil
}

// define makes a kind and waits until it can be used.
func (c cluster) define(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(crd)
	if err != nil {
		return fmt.Errorf("write kind %s: %w", crd.Name, err)
	}
	_, err = c.Resource(kinds).Create(ctx, &unstructured.Unstructured{Object: raw}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make kind %s: %w", crd.Name, err)
	}
	return c.until(ctx, c.Resource(kinds), crd.Name, func(o *unstructured.Unstructured) bool { return is(o, "Established") })
}

// until waits until an object is as wanted; a nil object is one that is not there.
func (c cluster) until(ctx context.Context, in dynamic.ResourceInterface, name string, wanted func(*unstructured.Unstructured) bool) error {
	only := fields.OneTermEqualSelector("metadata.name", name).String()
	list := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = only
			return in.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = only
			return in.Watch(ctx, o)
		},
	}
	there := func(store cache.Store) (bool, error) {
		all := store.List()
		return len(all) == 0 && wanted(nil) || len(all) > 0 && wanted(all[0].(*unstructured.Unstructured)), nil
	}
	var last *unstructured.Unstructured
	_, err := watchtools.UntilWithSync(ctx, list, &unstructured.Unstructured{}, there, func(event watch.Event) (bool, error) {
		last, _ = event.Object.(*unstructured.Unstructured)
		if event.Type == watch.Deleted {
			last = nil
		}
		return wanted(last), nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("wait for %s, whose status is %v: %w", name, last.Object["status"], err)
	}
	if err != nil {
		return fmt.Errorf("wait for %s: %w", name, err)
	}
	return nil
}

// exists waits until a kind can be listed: whoever makes it is at it.
func (c cluster) exists(ctx context.Context, kind schema.GroupVersionResource) error {
	for {
		_, err := c.Resource(kind).List(ctx, metav1.ListOptions{Limit: 1})
		if !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", kind.Resource, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// is says that a condition holds for what is written now.
func is(o *unstructured.Unstructured, condition string) bool {
	if o == nil {
		return false
	}
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions") //nolint:errcheck // none is no condition
	for _, raw := range all {
		c, _ := raw.(map[string]any)
		generation, has := c["observedGeneration"].(int64)
		if c["type"] == condition && c["status"] == "True" && (!has || generation == o.GetGeneration()) {
			return true
		}
	}
	return false
}
