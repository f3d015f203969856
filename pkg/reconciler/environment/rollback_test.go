package environment

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func rollsBack(scope v1alpha1.RollbackScope) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) {
		env.Spec.OnFailure, env.Spec.RollbackScope = v1alpha1.OnFailureRollback, scope
	}
}

// image is what a deployment runs.
func (l *lab) image(service string) string {
	l.t.Helper()
	containers, _, err := unstructured.NestedSlice(l.target.deployment(service).Object, "spec", "template", "spec", "containers")
	l.must(err)
	return containers[0].(map[string]any)["image"].(string)
}

// breakDown makes the deployments of these services fail as they were written last.
func (f *fakeTarget) breakDown(services ...string) {
	for _, name := range services {
		o := f.deployment(name)
		o.Object["status"] = map[string]any{
			"observedGeneration": o.GetGeneration(), "replicas": int64(1), "updatedReplicas": int64(1),
			"conditions": []any{map[string]any{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}},
		}
	}
}

func upAllTo(revision int) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) {
		env.Spec.Services = nil
		for _, name := range []string{"db", "api"} {
			env.Spec.Services = append(env.Spec.Services, v1alpha1.ServiceOverride{Name: name, Image: fmt.Sprintf("registry/%s:%d", name, revision)})
		}
	}
}

// failSecond brings an update to its failure: db comes up as 2, api does not.
func (l *lab) failSecond() {
	l.t.Helper()
	l.bringUp()
	l.edit(upAllTo(2))
	l.pass()
	l.later(time.Second)
	l.target.comeUp("db")
	l.pass()
	l.later(time.Second)
	l.target.breakDown("api")
	l.happened()
	l.pass()
}

func (l *lab) sinceAPIFailed() string {
	l.t.Helper()
	rb := l.env().Status.Rollback
	if rb == nil {
		l.t.Fatalf("nothing is rolled back: %s", l.told())
	}
	return fmt.Sprintf("service api failed in run shop-2: NoProgress: %s", rb.Cause.Message)
}

func TestAFailedUpdateIsRolledBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(""))
	l.failSecond()
	since := l.sinceAPIFailed()
	l.tells("Progressing: goes back to run shop-1, since " + since)
	if diff := cmp.Diff([]string{"Warning RollingBack goes back to run shop-1, since " + since}, l.happened()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	failed, back := l.run("shop-2"), l.run("shop-3")
	if !failed.Done() || failed.Status.Phase != v1alpha1.PhaseFailed || failed.Status.SupersededBy != "" || failed.Status.Services[1].Cause == nil {
		t.Errorf("the failed run %+v", failed.Status)
	}
	if back.Spec.PlanDigest != l.run("shop-1").Spec.PlanDigest || back.Spec.Generation != 2 || back.Done() {
		t.Errorf("the run that rolls back %+v", back)
	}
	want := &v1alpha1.Rollback{From: "shop-2", To: "shop-1", PlanDigest: failed.Spec.PlanDigest, Service: "api", Cause: failed.Status.Services[1].Cause}
	if diff := cmp.Diff(want, back.Spec.Rollback); diff != "" {
		t.Errorf("it says (-want +got):\n%s", diff)
	}
	l.later(time.Second)
	l.pass()
	if got := l.image("db") + " " + l.image("api"); got != "registry/db:1 registry/api:2" {
		t.Errorf("first it goes back to %s", got)
	}
	l.target.comeUp("db")
	l.later(time.Second)
	l.pass()
	l.tells("Progressing: goes back to run shop-1: 1 of 2 services ready; api: written")
	l.target.comeUp("api")
	l.later(time.Second)
	l.pass()
	l.isRolledBack("rolled back to run shop-1, since "+since, "registry/db:1 registry/api:1")
	if done := l.run("shop-3"); done.Status.Phase != v1alpha1.PhaseReady || done.Status.Message != "rolled back to run shop-1: 2 services ready" {
		t.Errorf("the run that rolled back %+v", done.Status)
	}
}

// isRolledBack checks what is told of an environment that was rolled back, and that it is
// left alone from then on, also by a controller that knows nothing of it.
func (l *lab) isRolledBack(message, images string) {
	l.t.Helper()
	runs := l.runs()
	for range 2 {
		l.tells("Failed: " + message)
		ready := l.env().Status.GetCondition(apis.ConditionReady)
		if !ready.IsFalse() || ready.Reason != v1alpha1.ReasonRolledBack {
			l.t.Errorf("condition %+v", ready)
		}
		if got := l.image("db") + " " + l.image("api"); got != images {
			l.t.Errorf("there run %s, want %s", got, images)
		}
		writes := l.target.writes
		l.later(time.Hour)
		l.pass()
		if got := l.writes(); len(got) > 0 || l.target.writes != writes || len(l.woken) > 0 {
			l.t.Errorf("a pass later it does %v and %d writes, and wakes after %v", got, l.target.writes-writes, l.woken)
		}
		l.restart()
	}
	if diff := cmp.Diff(runs, l.runs()); diff != "" {
		l.t.Errorf("runs (-before +after):\n%s", diff)
	}
}

func TestOnlyTheFailedServiceIsRolledBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(v1alpha1.RollbackService))
	l.failSecond()
	since := l.sinceAPIFailed()
	l.tells("Progressing: service api goes back to run shop-1, since " + since)
	l.later(time.Second)
	l.pass()
	l.target.comeUp("api")
	l.later(time.Second)
	l.pass()
	l.isRolledBack("service api rolled back to run shop-1, since "+since, "registry/db:2 registry/api:1")
}

// Services that fail one after the other are rolled back one after the other, and the story
// stays that of the first.
func TestAServiceThatFailsLaterFollows(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(v1alpha1.RollbackService))
	l.bringUp()
	l.edit(upAllTo(2))
	l.pass()
	l.target.breakDown("db")
	for range 2 { // fails, goes back
		l.later(time.Second)
		l.pass()
	}
	l.target.comeUp("db")
	l.later(time.Second)
	l.pass()
	l.target.breakDown("api")
	for range 2 {
		l.later(time.Second)
		l.pass()
	}
	l.target.comeUp("api")
	l.later(time.Second)
	l.pass()
	rb := l.env().Status.Rollback
	if rb == nil || rb.From != "shop-2" || rb.To != "shop-1" || rb.Service != "db" || !slices.Equal(rb.Services, []string{"api", "db"}) {
		t.Errorf("rolled back: %+v", rb)
	}
	l.isRolledBack("service api, db rolled back to run shop-1, since service db failed in run shop-2: NoProgress: "+rb.Cause.Message, "registry/db:1 registry/api:1")
}

func TestAnotherSpecEndsARollback(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		images string
	}{
		"a new image": {func(l *lab) { l.edit(upAllTo(3)) }, "registry/db:3 registry/api:1"},
		"another attempt": {func(l *lab) {
			l.edit(func(env *v1alpha1.Environment) { env.Spec.Run = &v1alpha1.RunLayer{Attempt: "2"} })
		}, "registry/db:2 registry/api:1"},
		"another template": {func(l *lab) {
			changed := template()
			changed.Spec.Ports[0].Port, changed.Generation = 9090, 2
			l.put(changed, "servicetemplates")
		}, "registry/db:2 registry/api:1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, rollsBack(""))
			l.failSecond()
			l.pass()
			l.target.comeUp("db")
			l.pass()
			l.target.comeUp("api")
			l.pass()
			tc.change(l)
			l.pass()
			if status := l.env().Status; status.Run != "shop-4" || status.Rollback != nil || status.Phase != v1alpha1.PhaseProgressing {
				t.Errorf("run %s, rollback %+v: %s", status.Run, status.Rollback, l.told())
			}
			if got := l.image("db") + " " + l.image("api"); got != tc.images {
				t.Errorf("there run %s, want %s", got, tc.images)
			}
		})
	}
}

// A controller that is killed at any request of a rollback is followed by one that ends it,
// as the same run, and that never writes again what failed.
func TestARollbackSurvivesACrashAnywhere(t *testing.T) {
	t.Parallel()
	for crash := range 12 {
		t.Run(fmt.Sprintf("at request %d", crash), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, rollsBack(""))
			l.bringUp()
			l.edit(upAllTo(2))
			l.pass()
			l.target.comeUp("db")
			l.pass()
			l.target.breakDown("api")
			count := 0
			l.client.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if verb := action.GetVerb(); verb == "list" || verb == "get" || verb == "watch" {
					return false, nil, nil
				}
				count++
				return count == crash+1, nil, errors.New("killed")
			})
			for range 12 {
				l.later(time.Second)
				if err := l.try(); err != nil && strings.Contains(err.Error(), "killed") {
					l.restart()
				}
				back := l.env().Status.Rollback != nil
				if back && l.image("db") == "registry/db:1" {
					l.target.comeUp("db")
				}
				if back && l.image("api") == "registry/api:1" {
					l.target.comeUp("api")
				}
				if runs := l.runs(); len(runs) > 3 {
					t.Fatalf("runs %v", runs)
				}
			}
			l.isRolledBack("rolled back to run shop-1, since "+l.sinceAPIFailed(), "registry/db:1 registry/api:1")
			if got := l.target.deployment("api").GetGeneration(); got != 3 {
				t.Errorf("api was written %d times, want once a revision", got)
			}
		})
	}
}

func TestWhatCannotBeRolledBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		why    string
	}{
		"nothing was ever ready": {nil, "no earlier run was ready"},
		"no copy is kept": {func(l *lab) {
			l.bringUp()
			l.snapshot(nil)
		}, "run shop-1 keeps no copy of what it wrote; it would take more than 384 KiB, or an older Spock wrote it"},
		"the copy is broken": {func(l *lab) {
			l.bringUp()
			l.snapshot([]byte("x"))
		}, "what run shop-1 wrote cannot be read: unpack the plan: unexpected EOF"},
		"it is as it was": {func(l *lab) {
			l.bringUp()
			l.edit(func(env *v1alpha1.Environment) { env.Spec.Run = &v1alpha1.RunLayer{Attempt: "2"} })
			l.target.begin("db", 1)
		}, "it is already as it was"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, rollsBack(""))
			if tc.change != nil {
				tc.change(l)
				if tc.why != "it is already as it was" {
					l.edit(upAllTo(2))
				}
			}
			l.pass()
			l.target.breakDown("db")
			for range 3 {
				l.later(2 * time.Second)
				l.pass()
			}
			if got := l.told(); !strings.HasPrefix(got, "Failed: service db failed: NoProgress: ") || !strings.HasSuffix(got, "; not rolled back: "+tc.why) {
				t.Errorf("it tells %s", got)
			}
			if got := l.writes(); len(got) > 0 || len(l.woken) > 0 {
				t.Errorf("it still does %v, and wakes after %v", got, l.woken)
			}
		})
	}
}

// snapshot replaces what run shop-1 keeps.
func (l *lab) snapshot(b []byte) {
	l.t.Helper()
	run := l.run("shop-1").DeepCopy()
	run.Spec.Snapshot = b
	l.put(run, "environmentruns")
}

func TestAServiceThatBreaksLaterIsNotRolledBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(""))
	l.bringUp()
	l.edit(upAllTo(2))
	l.pass()
	l.target.comeUp("db")
	l.pass()
	l.target.comeUp("api")
	l.pass()
	l.tells("Ready: 2 services ready")
	l.target.breakDown("api")
	l.later(time.Second)
	l.pass()
	if got := l.runs(); len(got) != 2 || l.env().Status.Phase != v1alpha1.PhaseFailed {
		t.Errorf("runs %v: %s", got, l.told())
	}
}

// Ten failures in a row do not make what was good be forgotten.
func TestTheLastGoodRunIsKept(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	for i := range 12 {
		l.edit(upTo(fmt.Sprintf("registry/api:%d", i+2)))
		l.pass()
	}
	if got := l.runs(); len(got) != keptRuns+1 || !slices.Contains(got, "shop-1") {
		t.Errorf("runs %v", got)
	}
}

func TestAFailureStopsWhatWouldBeRolledBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env, class v1alpha1.RollbackScope
		back       bool
		want       bool
	}{
		"nobody says how much":     {want: true},
		"the class says a service": {class: v1alpha1.RollbackService},
		"the environment says all": {env: v1alpha1.RollbackEnvironment, class: v1alpha1.RollbackService, want: true},
		"it is being rolled back":  {back: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, class, run := &v1alpha1.Environment{}, &v1alpha1.EnvironmentClass{}, &v1alpha1.EnvironmentRun{}
			env.Spec.RollbackScope, class.Spec.RollbackScope, class.Spec.OnFailure = tc.env, tc.class, v1alpha1.OnFailureRollback
			if tc.back {
				run.Spec.Rollback = &v1alpha1.Rollback{}
			}
			if got := stops(env, class, run); got != tc.want {
				t.Errorf("stops() = %t, want %t", got, tc.want)
			}
		})
	}
}

// A rollback that has written, but of which no status tells yet, is found again: what failed
// is not written once more.
func TestARollbackThatNoStatusTellsOfGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(v1alpha1.RollbackService))
	l.bringUp()
	l.edit(upAllTo(2))
	l.pass()
	l.target.comeUp("db")
	l.pass()
	l.target.breakDown("api")
	away := true
	l.client.PrependReactor("update", "environments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return away && action.GetSubresource() == "status", nil, errors.New("etcd is away")
	})
	for range 2 {
		l.later(time.Second)
		if err := l.try(); err == nil {
			t.Fatal("the pass did not fail")
		}
	}
	away = false
	for _, when := range []string{"before", "after"} {
		if got := l.image("api"); got != "registry/api:1" {
			t.Fatalf("%s the restart api runs %s", when, got)
		}
		if want := map[string]string{"before": "shop-2", "after": "shop-3"}[when]; l.env().Status.Run != want {
			t.Errorf("%s the restart the status names run %s, want %s", when, l.env().Status.Run, want)
		}
		l.restart()
		l.later(time.Second)
		l.pass()
	}
	l.target.comeUp("api")
	l.later(time.Second)
	l.pass()
	l.isRolledBack("service api rolled back to run shop-1, since "+l.sinceAPIFailed(), "registry/db:2 registry/api:1")
}
