package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// after says of each node which others come after it, however far.
func after(nodes []v1alpha1.PlanNode) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for i := len(nodes) - 1; i >= 0; i-- {
		for _, before := range nodes[i].After {
			if all[before] == nil {
				all[before] = map[string]bool{}
			}
			all[before][nodes[i].Name] = true
			for name := range all[nodes[i].Name] {
				all[before][name] = true
			}
		}
	}
	return all
}

func nodeOf(o *fakeObject) string { return o.GetAnnotations()[v1alpha1.AnnotationNode] }

func TestDismantleGoesBackwardsAndEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		made, behaves := drawProduct(t).plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, made, comes, never, breaks)
		w := newFakeWorld(behaves)
		w.run(made, rapid.IntRange(0, 60).Draw(t, "steps before"))
		foreign := w.add("apps/v1", "Deployment", "foreign", map[string]string{v1alpha1.AnnotationNode: "s0"})
		nodes := made.Frozen()
		follows := after(nodes)
		for range patience {
			remove, done, message := engine.Dismantle(nodes, w.scope, w.state())
			if over := message == "all services are gone"; over && !done || done && len(remove) > 0 {
				t.Fatalf("done is %t with %v to remove: %s", done, remove, message)
			}
			for _, d := range remove {
				node := nodeOf(w.objects[d.Key])
				for key, o := range w.objects {
					if follows[node][nodeOf(o)] && key != foreign {
						t.Fatalf("%s of %s goes while %s of %s is there", d.Key, node, key, nodeOf(o))
					}
				}
			}
			if done {
				checkLeft(t, w, foreign)
				return
			}
			for _, d := range remove {
				w.remove(d)
			}
			w.tick()
		}
		t.Fatalf("not done after %d steps", patience)
	})
}

// What is left of a node when all is done goes by itself.
func checkLeft(t *rapid.T, w *fakeWorld, foreign plan.Key) {
	for key, o := range w.objects {
		if nodeOf(o) != "" && key != foreign && (o.GetDeletionTimestamp() == nil || key.Kind == "Topic") {
			t.Fatalf("%s of node %s is left", key, nodeOf(o))
		}
	}
	if w.objects[foreign].GetDeletionTimestamp() != nil {
		t.Fatal("an object of somebody else was deleted")
	}
}

func TestDismantleTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	p := shop(t)
	w := newFakeWorld(map[plan.Key]behaviour{key(p, "Deployment/web"): {going: 1}})
	w.run(p, 9)
	w.add("apps/v1", "Deployment", "retired", map[string]string{
		v1alpha1.AnnotationEnvironmentUID: string(scope.UID), v1alpha1.AnnotationNode: "retired",
	})
	type step struct {
		Message string
		Remove  []string
		Done    bool
	}
	want := []step{
		{Message: "6 services left to stop", Remove: []string{"Deployment/retired", "Deployment/web"}},
		{Message: "5 services left to stop"},
		{Message: "4 services left to stop", Remove: []string{"Deployment/api", "Deployment/worker"}},
		{Message: "3 services left to stop", Remove: []string{"Job/api-migrate-1"}},
		{Message: "2 services left to stop", Remove: []string{"Deployment/cache", "Deployment/db"}},
		{Message: "all services are gone", Done: true},
	}
	var got []step
	for range want {
		remove, done, message := engine.Dismantle(p.Frozen(), w.scope, w.state())
		s := step{Message: message, Done: done}
		for _, d := range remove {
			s.Remove = append(s.Remove, d.Key.String())
			w.remove(d)
		}
		got = append(got, s)
		w.tick()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Dismantle() (-want +got):\n%s", diff)
	}
}

// A workload may be gone before its pods are: until then what it needs stays.
func TestDismantleWaitsForPods(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("data", "db", 1), service("apps", "api", 1))
	yes := true
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Annotations:     map[string]string{v1alpha1.AnnotationPodHash: "of-some-revision"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "api-1", Controller: &yes}},
		}}
		change(pod)
		return pod
	}
	tests := map[string]struct {
		pods    map[string][]*corev1.Pod
		message string
		remove  []string
	}{
		"none":              {nil, "1 service left to stop", []string{"Deployment/db"}},
		"of the workload":   {map[string][]*corev1.Pod{"api": {pod(func(*corev1.Pod) {})}}, "2 services left to stop", nil},
		"of somebody else":  {map[string][]*corev1.Pod{"other": {pod(func(*corev1.Pod) {})}}, "2 services left to stop", []string{"Deployment/db"}},
		"that nobody stops": {map[string][]*corev1.Pod{"api": {pod(func(p *corev1.Pod) { p.OwnerReferences = nil })}}, "1 service left to stop", []string{"Deployment/db"}},
		"of a job":          {map[string][]*corev1.Pod{"api": {pod(func(p *corev1.Pod) { p.Annotations = nil })}}, "1 service left to stop", []string{"Deployment/db"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFakeWorld(nil)
			w.run(p, 9)
			delete(w.objects, key(p, "Deployment/api"))
			state := w.state()
			state.Pods = tc.pods
			remove, done, message := engine.Dismantle(p.Frozen(), w.scope, state)
			var got []string
			for _, d := range remove {
				got = append(got, d.Key.String())
			}
			if diff := cmp.Diff(tc.remove, got); diff != "" || message != tc.message || done {
				t.Errorf("Dismantle() = %q, done %t, (-want +got):\n%s", message, done, diff)
			}
		})
	}
}

// The namespace need not wait for what goes by itself.
func TestTheNamespaceGoesWithTheLastServices(t *testing.T) {
	t.Parallel()
	host := v1alpha1.SchemeGroupVersion.String()
	tests := map[string]struct {
		apiVersion, kind string
		done             bool
	}{
		"a Deployment":           {"apps/v1", "Deployment", true},
		"a Job":                  {"batch/v1", "Job", true},
		"an Ingress":             {"networking.k8s.io/v1", "Ingress", true},
		"a kind of somebody":     {"example.com/v1", "Topic", false},
		"a service on a machine": {host, v1alpha1.KindHostService, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFakeWorld(nil)
			last := w.add(tc.apiVersion, tc.kind, "last", map[string]string{
				v1alpha1.AnnotationEnvironmentUID: string(scope.UID), v1alpha1.AnnotationNode: "last",
			})
			remove, done, _ := engine.Dismantle(nil, w.scope, w.state())
			if len(remove) != 1 || done {
				t.Fatalf("Dismantle() removes %v, done %t", remove, done)
			}
			at := metav1.NewTime(began)
			w.objects[last].SetDeletionTimestamp(&at)
			if remove, done, message := engine.Dismantle(nil, w.scope, w.state()); len(remove) > 0 || done != tc.done || message != "1 service left to stop" {
				t.Errorf("Dismantle() of what is going removes %v, done %t, %q; want done %t", remove, done, message, tc.done)
			}
		})
	}
}
