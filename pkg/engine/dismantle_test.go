package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
			if done != (message == "all services are gone") || done && len(remove) > 0 {
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
				checkPassiveLeft(t, w, foreign)
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

func checkPassiveLeft(t *rapid.T, w *fakeWorld, foreign plan.Key) {
	for key, o := range w.objects {
		if nodeOf(o) != "" && key != foreign {
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
