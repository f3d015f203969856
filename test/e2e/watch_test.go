//go:build e2e

package e2e

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// ref is one object of the cluster.
type ref struct {
	schema.GroupVersionResource
	namespace, name string
}

var (
	environments = v1alpha1.SchemeGroupVersion.WithResource("environments")
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	pods         = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	deployments  = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	customRuns   = schema.GroupVersionResource{Group: "tekton.dev", Version: "v1beta1", Resource: "customruns"}
	pipelineRuns = schema.GroupVersionResource{Group: "tekton.dev", Version: "v1", Resource: "pipelineruns"}
	clusterRoles = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
)

// await watches an object until a condition holds, and fails the test when it does not
// in time. The condition gets nil while the object is not there.
func await[T any](l *lab, r ref, within time.Duration, what string, holds func(*T) bool) *T {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var last *T
	see := func(o *unstructured.Unstructured) (bool, error) {
		last = nil
		if o != nil {
			last = new(T)
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, last); err != nil {
				return false, err
			}
		}
		return holds(last), nil
	}
	absent := func(store cache.Store) (bool, error) {
		if len(store.List()) > 0 {
			return false, nil
		}
		return see(nil)
	}
	_, err := watchtools.UntilWithSync(ctx, l.one(r), &unstructured.Unstructured{}, absent, func(e watch.Event) (bool, error) {
		o, ok := e.Object.(*unstructured.Unstructured)
		if !ok || e.Type == watch.Deleted {
			return see(nil)
		}
		return see(o)
	})
	if err != nil {
		l.Fatalf("%s %s/%s: waited %s for: %s: %v", r.Resource, r.namespace, r.name, within, what, err)
	}
	return last
}

// one lists and watches one object.
func (l *lab) one(r ref) cache.ListerWatcher {
	var client dynamic.ResourceInterface = l.dynamic.Resource(r.GroupVersionResource)
	if r.namespace != "" {
		client = l.dynamic.Resource(r.GroupVersionResource).Namespace(r.namespace)
	}
	only := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, r.name).String()
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			only(&o)
			return client.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			only(&o)
			return client.Watch(ctx, o)
		},
	}
}

// gone waits until an object is not there any more.
func (l *lab) gone(r ref, within time.Duration) {
	l.Helper()
	await(l, r, within, "it is gone", func(o *metav1.PartialObjectMetadata) bool { return o == nil })
}

// eventually asks again and again, for what can be asked and not watched: an address, a
// file, a list over many kinds. ask says what is still missing, nothing when all is well.
func (l *lab) eventually(within time.Duration, ask func(context.Context) string) {
	l.Helper()
	missing := ""
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, within, true, func(ctx context.Context) (bool, error) {
		missing = ask(ctx)
		return missing == "", nil
	})
	if err != nil {
		l.Fatalf("after %s: %s", within, missing)
	}
}
