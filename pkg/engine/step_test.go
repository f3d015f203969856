package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// fakeTarget is a target on top of a fake world. It keeps the order of its calls.
type fakeTarget struct {
	mu      sync.Mutex
	world   *fakeWorld
	pods    map[string][]*corev1.Pod
	told    map[target.Container]string
	answers map[string]error // to calls, by what calls prints
	calls   []string
	observe error
}

func (f *fakeTarget) call(what string) error {
	f.calls = append(f.calls, what)
	return f.answers[what]
}

func (f *fakeTarget) Observe(context.Context, target.Scope, []schema.GroupVersionKind) (target.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.observe != nil {
		return target.State{}, f.observe
	}
	state := f.world.state()
	state.Pods, state.Answers = f.pods, f.told
	return state, nil
}

func (f *fakeTarget) Apply(_ context.Context, _ target.Scope, o plan.Object, mine bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	what := "apply " + o.Key.String()
	if mine {
		what += " as its owner"
	}
	if err := f.call(what); err != nil {
		return err
	}
	f.world.write(o)
	return nil
}

func (f *fakeTarget) Delete(_ context.Context, _ target.Scope, k plan.Key, uid types.UID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("delete " + k.String()); err != nil {
		return err
	}
	f.world.remove(engine.Deletion{Key: k, UID: uid})
	return nil
}

func (f *fakeTarget) Room(_ context.Context, _ target.Scope, pod string, short corev1.ResourceName) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.call(fmt.Sprintf("room for %s of %s", pod, short))
	return "the largest node, a, offers 8 of cpu in all", err
}

func (f *fakeTarget) Log(_ context.Context, _ target.Scope, pod, container string, previous bool, lines int64) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.call(fmt.Sprintf("log %s %s previous=%t lines=%d", pod, container, previous, lines))
	return "panic: no config", err
}

// stepper takes steps and keeps between them what a caller keeps.
type stepper struct {
	*fakeTarget
	task engine.Task
}

func newStepper(p *plan.Plan) *stepper {
	w := newFakeWorld(nil)
	return &stepper{
		fakeTarget: &fakeTarget{world: w, answers: map[string]error{}},
		task:       engine.Task{Plan: p, Scope: w.scope, Clocks: clocks, Since: began, Refused: map[plan.Key]engine.Refusal{}},
	}
}

func (s *stepper) step(t *testing.T) (engine.Outcome, error) {
	t.Helper()
	s.calls = nil
	e := &engine.Engine{Target: s.fakeTarget, Gate: pace.NewGate(time.Now), Patience: time.Minute}
	s.task.Outbox = e.NewOutbox(t.Context(), func() {})
	out, err := e.Step(t.Context(), s.task, func() time.Time { return s.world.now })
	s.task.Record = out.Services
	return out, err
}

var (
	forbidden = apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "db", errors.New("no"))
	busy      = apierrors.NewTooManyRequests("busy", 1)
)

func TestStepWritesFirstWhatMayStart(t *testing.T) {
	t.Parallel()
	s := newStepper(shop(t))
	out, err := s.step(t)
	if err != nil {
		t.Fatalf("Step() failed: %v", err)
	}
	for _, name := range []string{"cache", "db"} {
		passive, workload := slices.Index(s.calls, "apply ConfigMap/"+name), slices.Index(s.calls, "apply Deployment/"+name)
		if passive < 0 || workload < passive {
			t.Errorf("calls %v, want the config of %s before its workload", s.calls, name)
		}
	}
	want := []string{
		"apply ConfigMap/api", "apply ConfigMap/cache", "apply ConfigMap/db", "apply ConfigMap/web", "apply ConfigMap/worker",
		"apply Deployment/cache", "apply Deployment/db",
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(s.calls))); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if out.Writes != 7 || out.Phase != v1alpha1.PhaseProgressing {
		t.Errorf("%d writes, %s", out.Writes, out.Phase)
	}
	if _, err := s.step(t); err != nil || len(s.calls) != 0 {
		t.Errorf("the next step calls %v (%v)", s.calls, err)
	}
}

func TestStepWritesItsOwnObjectsAsTheirOwner(t *testing.T) {
	t.Parallel()
	s := newStepper(planOf(t, tiers, service("data", "db", 1)))
	s.world.run(s.task.Plan, 3)
	s.task.Plan = planOf(t, tiers, service("data", "db", 2))
	if _, err := s.step(t); err != nil {
		t.Fatalf("Step() failed: %v", err)
	}
	want := []string{"apply ConfigMap/db as its owner", "apply Deployment/db as its owner"}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestStepTellsARefusedWriteAtOnce(t *testing.T) {
	t.Parallel()
	kind := &target.KindError{Kind: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Err: errors.New("the cluster does not know the kind")}
	tests := map[string]struct {
		answers map[string]error
		class   v1alpha1.CauseClass
		object  string
		calls   int
	}{
		"a workload without rights": {map[string]error{"apply Deployment/db": fmt.Errorf("apply: %w", forbidden)}, v1alpha1.CauseForbidden, "Deployment/db", 2},
		"an unknown kind":           {map[string]error{"apply Deployment/db": fmt.Errorf("apply: %w", kind)}, v1alpha1.CauseConfig, "Deployment/db", 2},
		"a config keeps the workload of its service from being written": {
			map[string]error{"apply ConfigMap/db": forbidden}, v1alpha1.CauseForbidden, "ConfigMap/db", 1,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStepper(planOf(t, tiers, service("data", "db", 1)))
			s.answers = tc.answers
			for _, when := range []string{"at once", "a step later"} {
				out, err := s.step(t)
				if err != nil {
					t.Fatalf("Step() failed: %v", err)
				}
				got := out.Services[0]
				if out.Phase != v1alpha1.PhaseFailed || class(got) != tc.class || got.Cause.Object != tc.object || got.Cause.Hint == "" {
					t.Errorf("%s it is %s: %+v", when, out.Phase, got.Cause)
				}
				if when == "at once" && len(s.calls) != tc.calls || when != "at once" && len(s.calls) != 0 {
					t.Errorf("%s it calls %v", when, s.calls)
				}
			}
		})
	}
}

func TestStepRefusesOneServiceAndWritesTheOthers(t *testing.T) {
	t.Parallel()
	s := newStepper(shop(t))
	s.answers["apply Deployment/db"] = forbidden
	out, err := s.step(t)
	if err != nil {
		t.Fatalf("Step() failed: %v", err)
	}
	want := text(`
		Progressing: 0 of 5 services ready; db failed: the cluster forbids it: no
		db Failed
		cache Progressing
		worker Blocked
		api Blocked
		web Blocked`)
	got := fmt.Sprintf("%s: %s\n", out.Phase, out.Message)
	for _, s := range out.Services {
		got += fmt.Sprintf("%s %s\n", s.Name, s.State)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
	if out.Writes != 6 || !out.Idle() {
		t.Errorf("%d writes, still to do: %t", out.Writes, !out.Idle())
	}
}

func TestStepReturnsAPassingErrorAndTellsTheRest(t *testing.T) {
	t.Parallel()
	s := newStepper(planOf(t, tiers, service("data", "db", 1), service("data", "cache", 1)))
	s.answers["apply ConfigMap/db"] = fmt.Errorf("apply ConfigMap/db: %w", busy)
	out, err := s.step(t)
	if !apierrors.IsTooManyRequests(err) {
		t.Fatalf("Step() = %v, want the error of the write", err)
	}
	if out.Phase != v1alpha1.PhaseProgressing || len(out.Services) != 2 || out.Writes != 2 {
		t.Errorf("%s with %d services after %d writes", out.Phase, len(out.Services), out.Writes)
	}
	if slices.Contains(s.calls, "apply Deployment/db") || !slices.Contains(s.calls, "apply Deployment/cache") {
		t.Errorf("calls %v, want no workload of db alone", s.calls)
	}
	delete(s.answers, "apply ConfigMap/db")
	if _, err := s.step(t); err != nil || !slices.Equal(s.calls, []string{"apply ConfigMap/db", "apply Deployment/db"}) {
		t.Errorf("the next step calls %v (%v)", s.calls, err)
	}
}

func TestStepFailsWhenTheTargetCannotBeSeen(t *testing.T) {
	t.Parallel()
	s := newStepper(shop(t))
	s.observe = target.ErrNotSynced
	out, err := s.step(t)
	if !errors.Is(err, target.ErrNotSynced) || out.Phase != "" || len(s.calls) != 0 {
		t.Errorf("Step() = %s, %v after %v", out.Phase, err, s.calls)
	}
}

func TestStepReadsALogOncePerCause(t *testing.T) {
	t.Parallel()
	s := newStepper(planOf(t, tiers, service("data", "db", 1)))
	s.world.behaves = ends(s.task.Plan, map[string]fate{"Deployment/db": never})
	s.world.run(s.task.Plan, 2)
	s.pods = map[string][]*corev1.Pod{"db": {pod("db-1", time.Second, crashes)}}
	read := "log db-1 app previous=true lines=50"
	steps := []struct {
		name   string
		change func()
		want   []string
		log    string
	}{
		{"at first it is read", func() {}, []string{read}, "panic: no config"},
		{"then it is kept", func() {}, nil, "panic: no config"},
		{"another cause reads it again", func() {
			s.pods["db"][0].Status.ContainerStatuses[0].LastTerminationState.Terminated.ExitCode = 4
			s.answers[read] = errors.New("the node does not answer")
		}, []string{read}, ""},
		{"a log that could not be read is asked for again", func() { s.answers = nil }, []string{read}, "panic: no config"},
	}
	for _, step := range steps {
		step.change()
		out, err := s.step(t)
		if err != nil {
			t.Fatalf("%s: Step() failed: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, s.calls); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.name, diff)
		}
		if got := out.Services[0].Cause; got == nil || got.Log != step.log {
			t.Errorf("%s: cause %+v, want the log %q", step.name, got, step.log)
		}
	}
}

func TestWhatFitsIsAskedOncePerCause(t *testing.T) {
	t.Parallel()
	s := newStepper(planOf(t, tiers, service("data", "db", 1)))
	s.world.behaves = ends(s.task.Plan, map[string]fate{"Deployment/db": never})
	s.world.run(s.task.Plan, 2)
	s.pods = map[string][]*corev1.Pod{"db": {pod("db-1", time.Second, func(p *corev1.Pod) {
		p.Spec.NodeName = ""
		p.Status = corev1.PodStatus{Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available: 1 Insufficient cpu.",
		}}}
	})}}
	ask, answer := "room for db-1 of cpu", "the largest node, a, offers 8 of cpu in all"
	for i, want := range []struct {
		calls  []string
		answer string
	}{{[]string{ask}, ""}, {[]string{ask}, answer}, {nil, answer}} {
		s.answers = map[string]error{}
		if i == 0 {
			s.answers[ask] = errors.New("the apiserver does not answer")
		}
		s.world.now = s.world.now.Add(2 * time.Second)
		out, err := s.step(t)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.calls, s.calls); diff != "" {
			t.Errorf("step %d: calls (-want +got):\n%s", i, diff)
		}
		if got := out.Services[0].Cause; got == nil || got.Class != v1alpha1.CauseUnschedulable || i > 0 && got.Answer != answer {
			t.Errorf("step %d: the cause is %+v, want the answer %q", i, got, want.answer)
		}
	}
}

func TestTearDownDeletesBackwards(t *testing.T) {
	t.Parallel()
	s := newStepper(shop(t))
	s.world.run(s.task.Plan, 9)
	e := engine.Engine{Target: s.fakeTarget, Gate: pace.NewGate(time.Now), Patience: time.Minute}
	var got []string
	for range 10 {
		s.calls = nil
		done, message, err := e.TearDown(t.Context(), s.task.Scope, s.task.Plan.Frozen())
		if err != nil {
			t.Fatalf("TearDown() failed: %v", err)
		}
		slices.Sort(s.calls)
		got = append(got, append([]string{message}, s.calls...)...)
		if done {
			break
		}
		s.world.tick()
	}
	want := []string{
		"5 services left to stop", "delete Deployment/web",
		"4 services left to stop", "delete Deployment/api", "delete Deployment/worker",
		"3 services left to stop", "delete Job/api-migrate-1",
		"2 services left to stop", "delete Deployment/cache", "delete Deployment/db",
		"all services are gone",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("TearDown() (-want +got):\n%s", diff)
	}
}

func TestTearDownReturnsWhatItCannotDelete(t *testing.T) {
	t.Parallel()
	s := newStepper(planOf(t, tiers, service("data", "db", 1)))
	s.world.run(s.task.Plan, 3)
	s.answers["delete Deployment/db"] = forbidden
	e := engine.Engine{Target: s.fakeTarget, Gate: pace.NewGate(time.Now), Patience: time.Minute}
	done, message, err := e.TearDown(t.Context(), s.task.Scope, s.task.Plan.Frozen())
	if done || !apierrors.IsForbidden(err) || message != "1 service left to stop" {
		t.Errorf("TearDown() = %t, %q, %v", done, message, err)
	}
	s.observe = target.ErrNotSynced
	if _, _, err := e.TearDown(t.Context(), s.task.Scope, nil); !errors.Is(err, target.ErrNotSynced) {
		t.Errorf("TearDown() = %v, want %v", err, target.ErrNotSynced)
	}
}
