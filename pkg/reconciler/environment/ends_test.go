package environment

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

func suspended(yes bool) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) { env.Spec.Suspend = yes }
}

func TestSuspendEndsTheRunAndWritesNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lab){
		"with its product":    func(*lab) {},
		"without its product": func(l *lab) { l.drop("products", team, "shop") },
		"after a restart":     func(l *lab) { l.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.pass()
			writes := l.target.writes
			l.target.comeUp("db")
			change(l)
			l.edit(suspended(true))
			l.pass()
			l.tells("Suspended: suspended: nothing is written until spec.suspend is cleared, by the next deploy or by hand")
			run := l.run("shop-1")
			if !run.Done() || run.Status.Phase != v1alpha1.PhaseSuspended || run.Status.Message != "stopped: the environment was suspended" {
				t.Errorf("run %+v", run.Status)
			}
			if l.target.writes != writes {
				t.Errorf("%d writes", l.target.writes-writes)
			}
			l.pass()
			if got := l.writes(); len(got) > 0 {
				t.Errorf("a repeated pass does %v", got)
			}
		})
	}
}

func TestTheNextDeployGoesOnAfterSuspend(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	l.edit(suspended(true))
	l.pass()
	l.edit(suspended(false))
	l.target.comeUp("db")
	l.bringUp()
	if diff := cmp.Diff([]string{"shop-1", "shop-2"}, l.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if l.run("shop-1").Status.Phase != v1alpha1.PhaseSuspended {
		t.Error("the suspended run changed")
	}
}

// remove lets the environment be deleted, which its finalizer holds back.
func (l *lab) remove() {
	l.t.Helper()
	l.edit(func(env *v1alpha1.Environment) {
		at := metav1.NewTime(began)
		env.DeletionTimestamp = &at
	})
}

func TestDeletionTakesServicesThenTheNamespaceThenTheFinalizer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.remove()
	type step struct {
		Told      string
		Going     []string
		Namespace string
		Requests  []string
	}
	see := func() step {
		l.clock.SetTime(l.clock.Now().Add(tellLatest))
		l.pass()
		s := step{Told: l.told(), Requests: l.writes(), Namespace: "there"}
		for _, name := range []string{"api", "db"} {
			if o := l.target.deployment(name); o != nil && o.GetDeletionTimestamp() != nil {
				s.Going = append(s.Going, name)
			}
		}
		if l.homes.removed {
			s.Namespace = "going"
		}
		return s
	}
	status := []string{"update environments/status"}
	want := []step{
		{Told: "Terminating: 2 services left to stop", Going: []string{"api"}, Namespace: "there", Requests: status},
		{Told: "Terminating: 2 services left to stop", Going: []string{"api"}, Namespace: "there"},
		{Told: "Terminating: 1 service left to stop", Going: []string{"db"}, Namespace: "there", Requests: status},
		{Told: "Terminating: waiting for namespace team-a-shop to go", Namespace: "going", Requests: status},
		{Told: "Terminating: waiting for namespace team-a-shop to go", Namespace: "going"},
	}
	got := []step{see(), see()}
	l.target.vanish()
	got = append(got, see())
	l.target.vanish()
	got = append(got, see(), see())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the deletion (-want +got):\n%s", diff)
	}
	if got := l.env().Finalizers; !slices.Equal(got, []string{v1alpha1.FinalizerEnvironment}) {
		t.Fatalf("finalizers %v while the namespace is there", got)
	}
	l.homes.exists = false
	l.pass()
	if got := l.env().Finalizers; len(got) > 0 || !slices.Equal(l.writes(), []string{"patch environments"}) {
		t.Errorf("finalizers %v after the namespace is gone, requests %v", got, l.writes())
	}
}

func TestDeletionNeedsNeitherProductNorMemory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.drop("products", team, "shop")
	l.drop("environmentclasses", "", "dev")
	l.restart()
	l.remove()
	l.pass()
	l.tells("Terminating: 2 services left to stop")
	if l.target.deployment("db").GetDeletionTimestamp() != nil {
		t.Error("the database goes before what needs it")
	}
}

func TestDeletionOfAnEnvironmentWithoutANamespaceIsFree(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(env *v1alpha1.Environment) {
		env.Finalizers = []string{v1alpha1.FinalizerEnvironment, "somebody.else"}
	})
	l.remove()
	l.pass()
	if got := l.env().Finalizers; !slices.Equal(got, []string{"somebody.else"}) || l.homes.removed {
		t.Errorf("finalizers %v, namespace removed: %t", got, l.homes.removed)
	}
}

func TestADeletionThatCannotGoOnSaysWhy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.remove()
	l.target.remove = errors.New("delete Deployment/api: no rights")
	if err := l.try(); !errors.Is(err, l.target.remove) {
		t.Errorf("Reconcile() = %v, want %v", err, l.target.remove)
	}
	l.tells("Terminating: cannot be taken down yet: delete Deployment/api: no rights")
	if got := l.env().Finalizers; !slices.Equal(got, []string{v1alpha1.FinalizerEnvironment}) {
		t.Errorf("finalizers %v", got)
	}
	l.target.observe = target.ErrNotSynced
	if err := l.try(); !controller.IsSkipKey(err) {
		t.Errorf("before the watches are in sync Reconcile() = %v", err)
	}
}

func TestAnEnvironmentThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.drop("environments", team, "shop")
	if err := l.try(); err != nil || len(l.writes()) > 0 {
		t.Errorf("Reconcile() = %v after %v", err, l.writes())
	}
}
