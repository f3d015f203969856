//go:build e2e

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestAnUpdateWaitsForTheNewGeneration compares the API server's own data: every version
// that it stored of every Deployment, in the order in which it stored them.
func TestAnUpdateWaitsForTheNewGeneration(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), product("shop",
		group("data", l.slow("db"), l.slow("cache")),
		group("backend", l.slow("orders"), l.slow("catalog")),
		group("frontend", l.slow("web")),
	), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	stop := l.record("shop")
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
	})
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	versions := stop()

	after := map[string][]string{"orders": {"db", "cache"}, "catalog": {"db", "cache"}, "web": {"orders", "catalog"}}
	for dependant, dependencies := range after {
		changed := versions.first(dependant, func(d version) bool { return d.Generation == 2 })
		for _, name := range dependencies {
			written := versions.first(name, func(d version) bool { return d.Generation == 2 })
			ready := versions.first(name, func(d version) bool { return d.Generation == 2 && rolledOut(d) })
			if written == 0 || ready <= written || changed <= ready {
				t.Errorf("%s was changed at %d; its dependency %s at %d, and was ready as changed at %d:\n%s", dependant, changed, name, written, ready, versions)
			}
		}
	}
}

// rolledOut is what kubectl rollout status waits for.
func rolledOut(d version) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == *d.Spec.Replicas && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas == s.UpdatedReplicas
}

// version is one that the API server stored of a Deployment; the last one says that it is gone.
type version struct {
	*appsv1.Deployment
	gone bool
}

// history are versions of Deployments in the order of their resource versions.
type history []version

// first is the resource version at which a Deployment was first so; 0 when it never was.
func (h history) first(name string, so func(version) bool) uint64 {
	for _, d := range h {
		if d.Name == name && so(d) {
			version, err := strconv.ParseUint(d.ResourceVersion, 10, 64)
			if err != nil {
				panic(err) // the API promises that they are numbers
			}
			return version
		}
	}
	return 0
}

func (h history) String() string {
	var lines strings.Builder
	for _, d := range h {
		fmt.Fprintf(&lines, "%s %-8s generation %d, observed %d, %d replicas, %d updated, %d available, going %t, gone %t\n", d.ResourceVersion, d.Name,
			d.Generation, d.Status.ObservedGeneration, d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas, d.DeletionTimestamp != nil, d.gone)
	}
	return lines.String()
}

// record keeps all versions of the Deployments of an environment from now on; stop
// returns them.
func (l *lab) record(environment string) (stop func() history) {
	l.Helper()
	api := l.kube.AppsV1().Deployments(l.home(environment))
	now, err := api.List(l.ctx, metav1.ListOptions{})
	l.must(err)
	w, err := api.Watch(l.ctx, metav1.ListOptions{ResourceVersion: now.ResourceVersion})
	l.must(err)
	var seen history
	var done sync.WaitGroup
	done.Go(func() {
		for event := range w.ResultChan() {
			if d, ok := event.Object.(*appsv1.Deployment); ok {
				seen = append(seen, version{d, event.Type == watch.Deleted})
			}
		}
	})
	return func() history {
		w.Stop()
		done.Wait()
		return seen
	}
}
