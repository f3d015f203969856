package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

var (
	began  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	scope  = target.Scope{Environment: types.NamespacedName{Namespace: "team-a", Name: "shop"}, UID: "uid-1", Namespace: "team-a-shop", Run: "shop-1"}
	clocks = engine.Clocks{NoProgress: 20 * time.Second, Deadline: 90 * time.Second}
)

// fate is how an object ends that has been written.
type fate int

const (
	comes   fate = iota // becomes ready
	never               // stays as it is
	breaks              // reports a failure
	refused             // is not accepted
)

// behaviour is how an object of the fake world behaves, in ticks of a second.
type behaviour struct {
	lag   int // until its status is of the generation written
	delay int // from then until it is ready
	going int // from its deletion until it is gone
	fate  fate
}

// fakeWorld is a target without a cluster: it keeps what is written and lets it come up
// as its behaviours say. A status lags behind its object, and shows what was before.
type fakeWorld struct {
	scope     target.Scope
	now       time.Time
	objects   map[plan.Key]*fakeObject
	behaves   map[plan.Key]behaviour
	serial    int
	record    []v1alpha1.ServiceStatus
	refused   map[plan.Key]engine.Refusal
	writes    int
	deletions int
	stop      bool
}

type fakeObject struct {
	*unstructured.Unstructured
	age   int // ticks since it was written
	going int // ticks until it is gone, once it is deleted
	// ended jobs have failed for good.
	ended bool
}

func newFakeWorld(behaves map[plan.Key]behaviour) *fakeWorld {
	if behaves == nil {
		behaves = map[plan.Key]behaviour{}
	}
	return &fakeWorld{
		scope: scope, now: began, behaves: behaves,
		objects: map[plan.Key]*fakeObject{}, refused: map[plan.Key]engine.Refusal{},
	}
}

func (w *fakeWorld) world() engine.World {
	return engine.World{
		State: w.state(), Scope: w.scope, Record: w.record, Refused: maps.Clone(w.refused), Clocks: clocks, Stop: w.stop, Since: began,
	}
}

func (w *fakeWorld) state() target.State {
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}}
	for key, o := range w.objects {
		state.Objects[key] = o.DeepCopy()
	}
	return state
}

func (w *fakeWorld) decide(p *plan.Plan) engine.Decision {
	return engine.Decide(p, w.world(), w.now)
}

// act does what was decided.
func (w *fakeWorld) act(d engine.Decision) {
	for _, o := range slices.Concat(d.Passive, d.Apply) {
		w.write(o)
	}
	for _, deletion := range d.Delete {
		w.remove(deletion)
	}
	w.record = d.Services
}

func (w *fakeWorld) write(o plan.Object) {
	if w.behaves[o.Key].fate == refused {
		w.refused[o.Key] = engine.Refusal{Hash: o.Hash, Cause: v1alpha1.Cause{Class: v1alpha1.CauseForbidden, Message: "may not write " + o.Key.String(), Hint: "ask"}}
		return
	}
	w.writes++
	written := &fakeObject{Unstructured: o.Desired.DeepCopy()}
	before := w.objects[o.Key]
	if before == nil {
		w.serial++
		written.SetUID(types.UID(fmt.Sprintf("object-%d", w.serial)))
		written.SetGeneration(1)
	} else {
		written.SetUID(before.GetUID())
		written.SetGeneration(before.GetGeneration() + 1)
		written.Object["status"] = before.Object["status"]
	}
	annotations := written.GetAnnotations()
	annotations[v1alpha1.AnnotationRun] = w.scope.Run
	written.SetAnnotations(annotations)
	w.objects[o.Key] = written
}

func (w *fakeWorld) remove(d engine.Deletion) {
	o := w.objects[d.Key]
	if o == nil || o.GetUID() != d.UID || o.GetDeletionTimestamp() != nil {
		return
	}
	w.deletions++
	at := metav1.NewTime(w.now)
	o.SetDeletionTimestamp(&at)
	o.going = w.behaves[d.Key].going
}

// tick lets a second pass.
func (w *fakeWorld) tick() {
	w.now = w.now.Add(time.Second)
	for key, o := range w.objects {
		b := w.behaves[key]
		if o.GetDeletionTimestamp() != nil {
			if o.going--; o.going < 0 {
				delete(w.objects, key)
			}
			continue
		}
		o.ended = o.ended || o.GetKind() == "Job" && b.fate == breaks && o.age >= b.lag
		if o.age++; o.age > b.lag {
			o.Object["status"] = statusOf(o, w.isReady(key), b.fate == breaks || o.ended)
		}
	}
}

// isReady is the truth about an object, whatever its status says.
func (w *fakeWorld) isReady(key plan.Key) bool {
	o, b := w.objects[key], w.behaves[key]
	return o != nil && o.GetDeletionTimestamp() == nil && b.fate == comes && !o.ended && o.age > b.lag+b.delay
}

func (w *fakeWorld) hash(key plan.Key) string {
	if o := w.objects[key]; o != nil && o.GetDeletionTimestamp() == nil {
		return o.GetAnnotations()[v1alpha1.AnnotationHash]
	}
	return ""
}

// statusOf is what the cluster would report.
func statusOf(o *fakeObject, ready, broken bool) any {
	status := map[string]any{}
	if o.GetKind() != "Job" {
		status["observedGeneration"] = o.GetGeneration()
	}
	switch o.GetKind() {
	case "Deployment":
		status["replicas"], status["updatedReplicas"] = int64(1), int64(1)
		if ready {
			status["availableReplicas"] = int64(1)
		}
		if broken {
			status["conditions"] = condition("Progressing", "False", "ProgressDeadlineExceeded")
		}
	case "Job":
		status["active"] = int64(1)
		if ready {
			status["conditions"] = condition("Complete", "True", "Completed")
		}
		if broken {
			status["conditions"] = condition("Failed", "True", "BackoffLimitExceeded")
		}
	default:
		status["conditions"] = condition("Ready", map[bool]string{true: "True", false: "False"}[ready], "Drawn")
	}
	return status
}

func condition(kind, status, reason string) []any {
	return []any{map[string]any{"type": kind, "status": status, "reason": reason}}
}
