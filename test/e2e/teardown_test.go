//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestAnEnvironmentDeletedHalfWayLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.watchRequests()
	p := l.shop(l.service("db", "page"), l.service("orders", "page"), l.service("web", "never"))
	p.Spec.Secrets = []v1alpha1.GeneratedSecret{{Name: "db", Keys: []string{"password"}}}
	l.create(page(), never(), p, l.environment("shop", "shop"))
	l.isAt("shop", "web", v1alpha1.ServiceProgressing)
	stop, pods := l.record("shop"), l.recordPods("shop")
	l.must(l.spock.SpockV1alpha1().Environments(l.name).Delete(l.ctx, "shop", metav1.DeleteOptions{}))
	l.gone(l.environmentRef("shop"), 3*soon)

	if _, err := l.kube.CoreV1().Namespaces().Get(l.ctx, l.home("shop"), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace is there after its environment is gone: %v", err)
	}
	all := in(l.home("shop"), writes(log.read()))
	if diff := cmp.Diff([]string{"web", "orders", "db"}, of("delete", "deployments", all)); diff != "" {
		t.Errorf("the order of deletions (-want +got):\n%s\n%s", diff, listing(all))
	}
	versions, ended := stop(), pods()
	for dependant, dependency := range map[string]string{"web": "orders", "orders": "db"} {
		deleted := versions.first(dependency, func(d version) bool { return d.gone || d.DeletionTimestamp != nil })
		if gone := ended[dependant]; gone == 0 || deleted <= gone {
			t.Errorf("the last pod of %s was gone at %d, and %s deleted at %d already:\n%s", dependant, gone, dependency, deleted, versions)
		}
	}
	l.eventually(soon, func(ctx context.Context) string { // the runs go by garbage collection
		return strings.Join(l.labelled(ctx, "shop"), "\n")
	})
}

// recordPods returns the resource version at which the last pod of each service was gone.
func (l *lab) recordPods(environment string) (stop func() map[string]uint64) {
	l.Helper()
	api := l.kube.CoreV1().Pods(l.home(environment))
	now, err := api.List(l.ctx, metav1.ListOptions{})
	l.must(err)
	w, err := api.Watch(l.ctx, metav1.ListOptions{ResourceVersion: now.ResourceVersion})
	l.must(err)
	last := map[string]uint64{}
	var done sync.WaitGroup
	done.Go(func() {
		for event := range w.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok || event.Type != watch.Deleted {
				continue
			}
			if version, err := strconv.ParseUint(pod.ResourceVersion, 10, 64); err == nil {
				last[pod.Labels[v1alpha1.LabelService]] = version
			}
		}
	})
	return func() map[string]uint64 {
		w.Stop()
		done.Wait()
		return last
	}
}

// labelled lists all that carries the labels of an environment, in the whole cluster.
func (l *lab) labelled(ctx context.Context, environment string) []string {
	l.Helper()
	lists, err := l.kube.Discovery().ServerPreferredResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		l.must(err)
	}
	var found []string
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		l.must(err)
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") {
				found = append(found, l.labelledKind(ctx, group.WithResource(r.Name), environment)...)
			}
		}
	}
	return found
}

func (l *lab) labelledKind(ctx context.Context, kind schema.GroupVersionResource, environment string) []string {
	l.Helper()
	list, err := l.dynamic.Resource(kind).List(ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelEnvironment + "=" + environment})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil
	}
	l.must(err)
	var found []string
	for _, o := range list.Items {
		// The environments of other tests may have the same name in another namespace.
		of := o.GetLabels()[v1alpha1.LabelEnvironmentNamespace]
		if of == l.name || of == "" && o.GetNamespace() == l.name {
			found = append(found, fmt.Sprintf("left behind: %s %s/%s", kind.Resource, o.GetNamespace(), o.GetName()))
		}
	}
	return found
}
