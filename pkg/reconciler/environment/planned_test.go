package environment

import (
	"strings"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// planned asks for a deploy of the plan with a digest.
func (l *lab) planned(digest string) {
	l.t.Helper()
	l.edit(func(e *v1alpha1.Environment) { e.Spec.Run = &v1alpha1.RunLayer{PlanDigest: digest} })
}

func TestADeployIsTheOneThatWasPlanned(t *testing.T) {
	t.Parallel()
	first := newLab(t)
	first.settle()
	digest := first.run("shop-1").Spec.PlanDigest

	l := newLab(t)
	l.planned("sha256:" + strings.Repeat("0", 64))
	l.pass()
	l.tells("Failed: spec.run.planDigest: sha256:" + strings.Repeat("0", 64) + " was planned, and " + digest +
		" would be written now: product, template, class or files have changed since; look at spock env plan shop -n team-a, and deploy again")
	if runs := l.runs(); len(runs) > 0 {
		t.Errorf("the runs %v were begun", runs)
	}

	l.planned(digest)
	l.settle()
	if got := l.run(l.env().Status.Run).Spec.PlanDigest; got != digest {
		t.Errorf("the run has the plan %s, want %s", got, digest)
	}

	// What changes afterwards is another rollout, which nobody has planned.
	p := shop()
	p.Spec.Groups[0].Services[0].Image = "registry.example.com/db:2"
	p.Generation++
	l.put(p, "products")
	l.settle()
	if got := l.run(l.env().Status.Run).Spec.PlanDigest; got == digest || l.env().Status.Phase == v1alpha1.PhaseFailed {
		t.Errorf("after a change of the product the environment is %s with the plan %s", l.env().Status.Phase, got)
	}
}
