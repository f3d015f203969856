package engine_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// add puts an object into the world that no plan of the test writes.
func (w *fakeWorld) add(version, kind, name string, annotations map[string]string) plan.Key {
	o := object(version, kind, name, 1)
	o.SetAnnotations(annotations)
	o.SetUID(types.UID(version + kind + name))
	k := plan.Key{GroupVersionKind: o.GroupVersionKind(), Name: name}
	w.objects[k] = &fakeObject{Unstructured: o}
	return k
}

func owned(hash string) map[string]string {
	a := map[string]string{v1alpha1.AnnotationEnvironmentUID: string(scope.UID)}
	if hash != "" {
		a[v1alpha1.AnnotationHash] = hash
	}
	return a
}

func (w *fakeWorld) deletion(k plan.Key) engine.Deletion {
	return engine.Deletion{Key: k, UID: w.objects[k].GetUID()}
}

func TestPruneTakesWhatAPlanWroteAndNoLongerWants(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("data", "db", 1), service("apps", "api", 1))
	w := newFakeWorld(ends(p, map[string]fate{"Deployment/api": never}))
	w.add("apps/v1", "Deployment", "old", owned("1"))
	w.add("v1", "ConfigMap", "old", owned("1"))
	w.add("v1", "PersistentVolumeClaim", "old", owned("1"))
	w.add("v1", "Secret", "generated", owned(""))
	w.add("v1", "ConfigMap", "foreign", nil)
	w.add("v1", "ConfigMap", "of-a-namesake", map[string]string{v1alpha1.AnnotationEnvironmentUID: "uid-0", v1alpha1.AnnotationHash: "1"})
	w.run(p, 4)
	w.tells(t, "before all is ready", p, `
		Progressing: 1 of 2 services ready; api: 0 of 1 pods are ready at the new version
		db Ready
		api Progressing: 0 of 1 pods are ready at the new version
		wake in 18s`)
	w.ends(p, "Deployment/api", comes)
	w.tick()
	w.tells(t, "when all is ready", p, `
		Ready: 2 services ready
		db Ready
		api Ready
		delete ConfigMap/old
		delete Deployment/old`)
	w.run(p, 2)
	w.tells(t, "when they are gone", p, `
		Ready: 2 services ready
		db Ready
		api Ready`)
}

// The cluster serves an object in every version of its kind that anybody watches.
func TestPruneKnowsAnObjectInAnotherVersion(t *testing.T) {
	t.Parallel()
	s := service("apps", "api", 1)
	s.Passive = append(s.Passive, object("autoscaling/v2", "HorizontalPodAutoscaler", "api", 1))
	p := planOf(t, tiers, s)
	w := newFakeWorld(nil)
	w.run(p, 3)
	w.add("autoscaling/v1", "HorizontalPodAutoscaler", "api", owned("1"))
	if d := w.decide(p); !d.Idle() || d.Phase != v1alpha1.PhaseReady {
		t.Errorf("%s deletes %v", d.Phase, d.Delete)
	}
}

func TestAForeignObjectIsNotTakenForOurs(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("apps", "api", 1))
	w := newFakeWorld(nil)
	w.run(p, 3)
	for name, uid := range map[string]string{"of a namesake": "uid-0", "of nobody": ""} {
		o := w.objects[key(p, "Deployment/api")]
		annotations := o.GetAnnotations()
		annotations[v1alpha1.AnnotationEnvironmentUID] = uid
		o.SetAnnotations(annotations)
		w.tells(t, name, p, `
			Progressing: 0 of 1 service ready; api: written
			api Progressing: written
			write Deployment/api
			wake in 20s`)
	}
}

func TestARefusedWriteIsNotTriedAgainUntilItChanges(t *testing.T) {
	t.Parallel()
	first, second := shop(t), shop(t, func(s *services) { (*s)[0] = service("data", "db", 2) })
	w := newFakeWorld(ends(first, map[string]fate{"Deployment/db": refused}))
	w.run(first, 3)
	if d := w.decide(first); !d.Idle() || d.Phase != v1alpha1.PhaseFailed {
		t.Errorf("the same object: %s, writes %v", d.Phase, d.Apply)
	}
	d := w.decide(second)
	if len(d.Apply) != 1 || d.Apply[0].Key != key(second, "Deployment/db") {
		t.Errorf("another object: %s, writes %v", d.Phase, d.Apply)
	}
}

// A config that is still going after it was unwanted holds back the service that wants
// it again, and that service alone.
func TestAPassiveObjectThatIsStillGoing(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("data", "db", 1), service("data", "cache", 1))
	w := newFakeWorld(map[plan.Key]behaviour{key(p, "ConfigMap/db"): {going: 1}})
	w.run(p, 3)
	d := w.decide(p)
	d.Delete = append(d.Delete, w.deletion(key(p, "ConfigMap/db")))
	w.act(d)
	w.tells(t, "while it goes", p, `
		Progressing: 1 of 2 services ready; db: waits for the old ConfigMap/db to go
		db Progressing: waits for the old ConfigMap/db to go
		cache Ready
		wake in 20s`)
	w.run(p, 2)
	w.tells(t, "when it is gone", p, `
		Progressing: 1 of 2 services ready; db: writes ConfigMap/db
		db Progressing: writes ConfigMap/db
		cache Ready
		write passive ConfigMap/db
		wake in 20s`)
}

func TestAnObjectThatSomebodyDeletedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	p := shop(t)
	w := newFakeWorld(nil)
	w.run(p, 9)
	delete(w.objects, key(p, "Deployment/db"))
	w.tells(t, "a deployment is gone", p, `
		Progressing: 4 of 5 services ready; db: written
		db Progressing: written
		cache Ready
		worker Ready
		api Ready
		web Ready
		write Deployment/db
		wake in 20s`)
}
