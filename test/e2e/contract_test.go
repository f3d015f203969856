//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// change edits a CustomRun before it is made.
type change func(*v1beta1.CustomRunSpec)

// customRun makes a CustomRun of one of our kinds about an environment and waits for its end.
func (l *lab) customRun(kind, environment string, changes ...change) *v1beta1.CustomRun {
	l.Helper()
	run := &v1beta1.CustomRun{
		ObjectMeta: metav1.ObjectMeta{GenerateName: environment + "-"},
		Spec: v1beta1.CustomRunSpec{
			ServiceAccountName: account,
			CustomRef:          &v1beta1.TaskRef{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1beta1.TaskKind(kind)},
			Params:             v1beta1.Params{{Name: "environment", Value: *v1beta1.NewStructuredValues(environment)}},
		},
	}
	if kind == "Deploy" {
		run.Spec.Params = append(run.Spec.Params,
			v1beta1.Param{Name: "product", Value: *v1beta1.NewStructuredValues("shop")}, v1beta1.Param{Name: "class", Value: *v1beta1.NewStructuredValues(l.name)})
	}
	for _, c := range changes {
		c(&run.Spec)
	}
	run, err := l.tekton.TektonV1beta1().CustomRuns(l.name).Create(l.ctx, run, metav1.CreateOptions{})
	l.must(err)
	return await(l, ref{customRuns, l.name, run.Name}, 3*soon, "it has ended", func(run *v1beta1.CustomRun) bool {
		return run != nil && run.IsDone()
	})
}

func TestADeployThatIsNotReadyInTimeEndsAndIsSuspended(t *testing.T) {
	t.Parallel()
	l := stuck(t)
	began := time.Now()
	run := l.customRun("Deploy", "shop", func(s *v1beta1.CustomRunSpec) { s.Timeout = &metav1.Duration{Duration: 5 * time.Second} })
	if took := time.Since(began); took < 4*time.Second { // its start is kept in whole seconds
		t.Errorf("it ended after %s, before its timeout", took)
	}
	end := run.Status.GetCondition("Succeeded")
	if !end.IsFalse() || end.Reason != "CustomRunTimedOut" || !strings.Contains(end.Message, "orders") {
		t.Errorf("it ended %s %s, and says nothing of orders: %s", end.Status, end.Reason, end.Message)
	}
	l.reaches("shop", v1alpha1.PhaseSuspended, 2)
}

func TestAFailedDeployIsTriedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	web := l.service("web", "page")
	web.Image = l.image("nowhere:1")
	l.create(page(), l.shop(l.service("db", "page"), l.service("orders", "page"), web))
	run := l.customRun("Deploy", "shop", func(s *v1beta1.CustomRunSpec) { s.Retries = 2 })
	if end := run.Status.GetCondition("Succeeded"); !end.IsFalse() || !strings.Contains(end.Message, "nowhere:1") {
		t.Errorf("it ended %s %s: %s", end.Status, end.Reason, end.Message)
	}
	if got := len(run.Status.RetriesStatus); got != 2 {
		t.Errorf("%d attempts stand in retriesStatus, want 2", got)
	}
	if runs := l.runs("shop"); len(runs) != 3 {
		t.Errorf("there are %d EnvironmentRuns, want one for each attempt", len(runs))
	}
	for name, want := range map[string]int64{"db": 1, "orders": 1} {
		d, err := l.kube.AppsV1().Deployments(l.home("shop")).Get(l.ctx, name, metav1.GetOptions{})
		l.must(err)
		if d.Generation != want {
			t.Errorf("deployment %s, which was ready, is at generation %d: it was written again", name, d.Generation)
		}
	}
}

func TestTeardownEndsWhenTheEnvironmentIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), l.shop(l.service("db", "page"), l.service("orders", "page"), l.service("web", "page")))
	if end := l.customRun("Deploy", "shop").Status.GetCondition("Succeeded"); !end.IsTrue() {
		t.Fatalf("the deploy ended %s: %s", end.Reason, end.Message)
	}
	for _, what := range []string{"one that is there", "one that is gone already"} {
		if end := l.customRun("Teardown", "shop").Status.GetCondition("Succeeded"); !end.IsTrue() {
			t.Errorf("the teardown of %s ended %s: %s", what, end.Reason, end.Message)
		}
		l.gone(l.environmentRef("shop"), time.Second)
		l.gone(ref{namespaces, "", l.home("shop")}, time.Second)
	}
}
