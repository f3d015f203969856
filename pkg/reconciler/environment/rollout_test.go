package environment

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// bringUp brings an environment to Ready.
func (l *lab) bringUp() {
	l.t.Helper()
	l.pass()
	l.target.comeUp("db")
	l.clock.SetTime(l.clock.Now().Add(time.Second))
	l.pass()
	l.target.comeUp("api")
	l.clock.SetTime(l.clock.Now().Add(time.Second))
	l.pass()
	if got := l.env().Status.Phase; got != v1alpha1.PhaseReady {
		l.t.Fatalf("the environment is not up: %s", l.told())
	}
}

func upTo(image string) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) {
		env.Spec.Services = []v1alpha1.ServiceOverride{{Name: "api", Image: image}}
	}
}

func TestTheFirstPassOpensRunOne(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	want := []string{"patch environments", "create environmentruns", "update environmentruns/status", "update environments/status"}
	if diff := cmp.Diff(want, l.writes()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	env, run := l.env(), l.run("shop-1")
	if diff := cmp.Diff([]string{v1alpha1.FinalizerEnvironment}, env.Finalizers); diff != "" {
		t.Errorf("finalizers (-want +got):\n%s", diff)
	}
	status := env.Status
	if status.Run != "shop-1" || status.RunNumber != 1 || status.Namespace != "team-a-shop" || status.Progress != "0/2" ||
		status.ObservedGeneration != 1 || status.URL != "http://api.shop.dev.example.com" {
		t.Errorf("status %+v", status)
	}
	if ready := status.GetCondition(apis.ConditionReady); !ready.IsUnknown() || ready.Reason != v1alpha1.ReasonProgressing {
		t.Errorf("condition %+v", ready)
	}
	if run.Spec.Number != 1 || run.Spec.Generation != 1 || run.Spec.EnvironmentUID != "uid-1" || len(run.Spec.Nodes) != 4 ||
		run.Status.StartTime == nil || run.Done() || run.OwnerReferences[0].Name != "shop" {
		t.Errorf("run %+v", run)
	}
	for _, scope := range l.target.scopes {
		if scope.Run != "shop-1" || scope.ServiceAccount != "default" || scope.Namespace != "team-a-shop" {
			t.Errorf("written for %+v", scope)
		}
	}
	l.tells("Progressing: 0 of 2 services ready; db: written")
}

func TestARolloutEndsInReadyAndCostsNothingAfter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.tells("Ready: 2 services ready")
	run := l.run("shop-1")
	if run.Status.Phase != v1alpha1.PhaseReady || !run.Done() || run.Status.Progress != "2/2" || run.Status.Writes != int64(l.target.writes) {
		t.Errorf("run %+v after %d writes", run.Status, l.target.writes)
	}
	if ready := l.env().Status.GetCondition(apis.ConditionReady); !ready.IsTrue() {
		t.Errorf("condition %+v", ready)
	}
	writes := l.target.writes
	for range 3 {
		l.clock.SetTime(l.clock.Now().Add(time.Minute))
		l.pass()
		if got := l.writes(); len(got) > 0 || l.target.writes != writes || len(l.woken) > 0 {
			t.Fatalf("a repeated pass does %v, %d writes, and asks to be woken after %v", got, l.target.writes-writes, l.woken)
		}
	}
	l.restart()
	l.pass()
	if got := l.writes(); len(got) > 0 || l.target.writes != writes {
		t.Errorf("a pass after a restart does %v and %d writes", got, l.target.writes-writes)
	}
	want := []string{
		`Normal FinalizerUpdate Updated "shop" finalizers`,
		"Normal Progressing run shop-1: 0 of 2 services ready; db: written",
		"Normal Ready 2 services ready",
	}
	if diff := cmp.Diff(want, l.happened()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// failOnce lets the next request of a verb on a resource fail.
func (l *lab) failOnce(verb, resource, sub string) {
	failed := false
	l.client.PrependReactor(verb, resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
		if failed || action.GetSubresource() != sub {
			return false, nil, nil
		}
		failed = true
		return true, nil, errors.New("etcd is away")
	})
}

func TestARunIsAdoptedAfterACrash(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.failOnce("update", "environments", "status")
	if err := l.try(); err == nil {
		t.Fatal("the pass did not fail")
	}
	writes := l.target.writes
	l.restart()
	l.pass()
	if diff := cmp.Diff([]string{"shop-1"}, l.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if status := l.env().Status; status.Run != "shop-1" || status.RunNumber != 1 || l.target.writes != writes {
		t.Errorf("run %s, number %d, %d more writes", status.Run, status.RunNumber, l.target.writes-writes)
	}
}

func TestAListerThatLagsBehindOpensNoSecondRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	for range 3 {
		if err := l.stale(); err != nil {
			t.Fatalf("Reconcile() failed: %v", err)
		}
	}
	if diff := cmp.Diff([]string{"shop-1"}, l.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestANewGenerationTakesOver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	l.edit(upTo("registry/api:2"))
	l.pass()
	l.tells("Progressing: 0 of 2 services ready; db: the cluster has not looked at Deployment db yet")
	old, now := l.run("shop-1"), l.run("shop-2")
	if !old.Done() || old.Status.SupersededBy != "shop-2" || old.Status.Phase != v1alpha1.PhaseFailed ||
		old.Status.Message != "superseded by run shop-2" || len(old.Status.Services) != 2 {
		t.Errorf("the old run %+v", old.Status)
	}
	if now.Done() || now.Spec.Number != 2 || now.Spec.Generation != 2 || l.env().Status.Run != "shop-2" {
		t.Errorf("the new run %+v of %s", now, l.env().Status.Run)
	}
	if got := l.target.deployment("db"); got.GetGeneration() != 1 {
		t.Errorf("the unchanged database was written again")
	}
}

func TestAChangedTemplateTakesOverWithoutANewGeneration(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	changed := template()
	changed.Spec.Ports[0].Port, changed.Generation = 9090, 2
	l.put(changed, "servicetemplates")
	l.pass()
	if got := l.runs(); !slices.Equal(got, []string{"shop-1", "shop-2"}) || l.run("shop-2").Spec.Generation != 1 {
		t.Errorf("runs %v", got)
	}
	if old := l.run("shop-1"); old.Status.SupersededBy != "" || old.Status.Phase != v1alpha1.PhaseReady {
		t.Errorf("the run that had ended was changed: %+v", old.Status)
	}
}

func TestAnAttemptThatChangesNothingIsReadyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	writes := l.target.writes
	l.edit(func(env *v1alpha1.Environment) {
		env.Spec.Run = &v1alpha1.RunLayer{Attempt: "2", Source: "abc123"}
	})
	l.pass()
	run := l.run("shop-2")
	if run.Status.Phase != v1alpha1.PhaseReady || !run.Done() || run.Spec.Source != "abc123" || run.Status.Writes != 0 || l.target.writes != writes {
		t.Errorf("run %+v after %d writes", run, l.target.writes-writes)
	}
}

func TestARunThatACrashLeftBehindIsEnded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.failOnce("update", "environments", "status")
	if err := l.try(); err == nil {
		t.Fatal("the pass did not fail")
	}
	l.restart()
	l.edit(upTo("registry/api:2"))
	l.pass()
	if left := l.run("shop-1"); !left.Done() || left.Status.SupersededBy != "shop-2" {
		t.Errorf("the run left behind %+v", left.Status)
	}
	if got := l.env().Status; got.Run != "shop-2" || got.RunNumber != 2 {
		t.Errorf("the environment is at run %s, number %d", got.Run, got.RunNumber)
	}
}

func TestAnEndThatCouldNotBeWrittenIsWrittenLater(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	l.edit(upTo("registry/api:2"))
	l.failOnce("update", "environmentruns", "status")
	if err := l.try(); err == nil {
		t.Fatal("the pass did not fail")
	}
	l.pass()
	if old := l.run("shop-1"); !old.Done() || old.Status.SupersededBy != "shop-2" {
		t.Errorf("the old run %+v", old.Status)
	}
	if diff := cmp.Diff([]string{"shop-1", "shop-2"}, l.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestRunsOfANamesakeAreLeftAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	theirs := &v1alpha1.EnvironmentRun{}
	theirs.Namespace, theirs.Name, theirs.Spec.EnvironmentUID, theirs.Spec.Number = team, "shop-1", "uid-0", 1
	l.must(l.client.Tracker().Add(theirs))
	l.pass()
	if got := l.env().Status; got.Run != "shop-2" || got.RunNumber != 2 {
		t.Errorf("the environment is at run %s, number %d", got.Run, got.RunNumber)
	}
	if l.run("shop-1").Done() {
		t.Error("the run of a namesake was ended")
	}
}

func TestTheLastTenRunsAreKept(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	for i := range 12 {
		l.edit(upTo(fmt.Sprintf("registry/api:%d", i+2)))
		l.pass()
	}
	var want []string
	for i := 4; i <= 13; i++ {
		want = append(want, fmt.Sprintf("shop-%d", i))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, l.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}
