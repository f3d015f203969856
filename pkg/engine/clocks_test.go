package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// slow is one service that has been written and does not become ready.
func slow(t *testing.T) (*plan.Plan, *fakeWorld) {
	t.Helper()
	p := planOf(t, tiers, service("apps", "api", 1))
	w := newFakeWorld(ends(p, map[string]fate{"Deployment/api": never}))
	w.run(p, 2)
	return p, w
}

// ends gives an object another fate.
func (w *fakeWorld) ends(p *plan.Plan, name string, f fate) {
	b := w.behaves[key(p, name)]
	b.fate = f
	w.behaves[key(p, name)] = b
}

// at sets the time since the world began, takes a step, and says what the service tells.
func (w *fakeWorld) at(p *plan.Plan, since time.Duration) v1alpha1.ServiceStatus {
	w.now = began.Add(since)
	d := w.decide(p)
	w.act(d)
	return d.Services[0]
}

func class(s v1alpha1.ServiceStatus) v1alpha1.CauseClass {
	if s.Cause == nil {
		return ""
	}
	return s.Cause.Class
}

// The service was written at 0s and moved last at 1s.
func TestTheTwoClocks(t *testing.T) {
	t.Parallel()
	p, w := slow(t)
	moves := func(available int64) func() {
		return func() {
			o := w.objects[key(p, "Deployment/api")]
			must(unstructured.SetNestedField(o.Object, available, "status", "updatedReplicas"))
		}
	}
	nothing := func() {}
	steps := []struct {
		name   string
		change func()
		at     time.Duration
		state  v1alpha1.ServiceState
		class  v1alpha1.CauseClass
	}{
		{"just before it took too long without progress", nothing, 21*time.Second - 1, v1alpha1.ServiceProgressing, ""},
		{"when it took too long without progress", nothing, 21 * time.Second, v1alpha1.ServiceFailed, v1alpha1.CauseNoProgress},
		{"right after, with nothing new", nothing, 22 * time.Second, v1alpha1.ServiceFailed, v1alpha1.CauseNoProgress},
		{"long after, with nothing new", nothing, 60 * time.Second, v1alpha1.ServiceFailed, v1alpha1.CauseNoProgress},
		{"when it moves after all", moves(0), 61 * time.Second, v1alpha1.ServiceProgressing, ""},
		{"when it moves again", moves(1), 80 * time.Second, v1alpha1.ServiceProgressing, ""},
		{"just before its deadline, moving", moves(0), 90*time.Second - 1, v1alpha1.ServiceProgressing, ""},
		{"at its deadline, although it moves", moves(1), 90 * time.Second, v1alpha1.ServiceFailed, v1alpha1.CauseDeadline},
		{"after its deadline, although it moves", moves(0), 91 * time.Second, v1alpha1.ServiceFailed, v1alpha1.CauseDeadline},
	}
	for _, s := range steps {
		s.change()
		got := w.at(p, s.at)
		if got.State != s.state || class(got) != s.class {
			t.Errorf("%s it is %s %s (%s), want %s %s", s.name, got.State, class(got), got.Message, s.state, s.class)
		}
	}
	w.ends(p, "Deployment/api", comes)
	w.tick()
	if got := w.at(p, 200*time.Second); got.State != v1alpha1.ServiceReady {
		t.Errorf("ready after its deadline it is %s (%s)", got.State, got.Message)
	}
}

func TestClocksRunWithoutAWriteOfThisRun(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*fakeWorld, *plan.Plan){
		"after a restart that lost what was told": func(w *fakeWorld, _ *plan.Plan) { w.record = nil },
		"in a run that left it unchanged":         func(w *fakeWorld, _ *plan.Plan) { w.record, w.scope.Run = nil, "shop-2" },
		"when it was ready and is not any more": func(w *fakeWorld, p *plan.Plan) {
			w.ends(p, "Deployment/api", comes)
			w.run(p, 200)
			w.ends(p, "Deployment/api", never)
			w.tick()
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, w := slow(t)
			change(w, p)
			w.tells(t, "at first", p, `
				Progressing: 0 of 1 service ready; api: 0 of 1 pods are ready at the new version
				api Progressing: 0 of 1 pods are ready at the new version
				wake in 20s`)
			w.run(p, 20)
			w.tells(t, "when the time is over", p, `
				Failed: service api failed: NoProgress: no progress for 20s: 0 of 1 pods are ready at the new version
				api Failed: no progress for 20s: 0 of 1 pods are ready at the new version`)
		})
	}
}

func TestTimesAreKeptPerRun(t *testing.T) {
	t.Parallel()
	p, w := slow(t)
	w.ends(p, "Deployment/api", comes)
	w.run(p, 5)
	s := w.record[0]
	for name, got := range map[string]*metav1.MicroTime{"StartedAt": s.StartedAt, "ReadyAt": s.ReadyAt, "ProgressAt": s.ProgressAt} {
		want := map[string]time.Duration{"StartedAt": 0, "ReadyAt": 3 * time.Second, "ProgressAt": 3 * time.Second}[name]
		if got == nil || got.Sub(began) != want {
			t.Errorf("%s is %v, want %s after the beginning", name, got, want)
		}
	}
	w.scope.Run, w.record = "shop-2", nil
	if s := w.decide(p).Services[0]; s.StartedAt != nil || s.ReadyAt != nil {
		t.Errorf("a run that found it ready says it started at %v and was ready at %v", s.StartedAt, s.ReadyAt)
	}
}

func TestWakeIsWhenTimeAloneChangesTheDecision(t *testing.T) {
	t.Parallel()
	unplaced := func(age time.Duration) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "api-1", CreationTimestamp: metav1.NewTime(began.Add(2*time.Second - age))},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
				LastTransitionTime: metav1.NewTime(began.Add(2*time.Second - age)), Message: "0/1 nodes are available: 1 Insufficient cpu.",
			}}},
		}
	}
	tests := map[string]struct {
		clocks engine.Clocks
		pod    *corev1.Pod
		want   time.Duration
	}{
		"no progress comes first":                {engine.Clocks{NoProgress: 20 * time.Second, Deadline: time.Minute}, nil, 19 * time.Second},
		"the deadline comes first":               {engine.Clocks{NoProgress: time.Minute, Deadline: 10 * time.Second}, nil, 8 * time.Second},
		"a pod becomes unschedulable by lasting": {engine.Clocks{NoProgress: time.Minute, Deadline: time.Minute}, unplaced(0), time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, w := slow(t)
			world := w.world()
			world.Clocks = tc.clocks
			if tc.pod != nil {
				world.State.Pods = map[string][]*corev1.Pod{"api": {tc.pod}}
			}
			d := engine.Decide(p, world, w.now)
			if got := d.Wake.Sub(w.now); got != tc.want {
				t.Errorf("wakes in %s, want %s (%s)", got, tc.want, d.Message)
			}
		})
	}
}

func TestAReadyWorldNeverWakes(t *testing.T) {
	t.Parallel()
	p := shop(t)
	w := newFakeWorld(nil)
	w.run(p, 9)
	if d := w.decide(p); !d.Wake.IsZero() {
		t.Errorf("wakes at %s", d.Wake)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestStampsComeBackFromTheAPIAsTheyWere(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("apps", "api", 1))
	w := newFakeWorld(nil)
	w.now = began.Add(1234567 * time.Nanosecond)
	told := w.decide(p).Services[0]
	text, err := json.Marshal(told)
	must(err)
	var stored v1alpha1.ServiceStatus
	must(json.Unmarshal(text, &stored))
	if told.StartedAt == nil || !equality.Semantic.DeepEqual(told, stored) {
		t.Errorf("told %v, stored %v: the difference would be written at every pass", told.StartedAt, stored.StartedAt)
	}
}
