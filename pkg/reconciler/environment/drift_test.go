package environment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

func withDrift(policy v1alpha1.DriftPolicy) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) { env.Spec.Drift = policy }
}

// tamper scales a deployment as somebody does by hand, and lets it come up so.
func (l *lab) tamper(service string, replicas int64) {
	l.t.Helper()
	o := l.target.deployment(service)
	l.must(unstructured.SetNestedField(o.Object, replicas, "spec", "replicas"))
	o.SetGeneration(o.GetGeneration() + 1)
	o.Object["status"] = map[string]any{
		"observedGeneration": o.GetGeneration(), "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas,
	}
	l.later(time.Second)
}

func (l *lab) later(d time.Duration) { l.clock.SetTime(l.clock.Now().Add(d)) }

func (l *lab) condition(want string) {
	l.t.Helper()
	if got := l.env().Status.GetCondition(v1alpha1.ConditionDrifted).GetMessage(); got != want {
		l.t.Errorf("the condition Drifted says %q, want %q", got, want)
	}
}

func TestAFieldChangedByHandIsHealed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.happened()
	for _, restarted := range []bool{false, true} {
		if restarted {
			l.restart()
		}
		writes := l.target.writes
		l.tamper("api", 3)
		l.pass()
		if got := l.target.writes - writes; got != 1 {
			t.Errorf("restarted %t: %d writes, want one", restarted, got)
		}
		l.later(time.Second)
		l.target.comeUp("api")
		l.pass()
		l.tells("Ready: 2 services ready")
		l.condition("")
		l.pass()
		if got := l.writes(); len(got) > 0 || l.target.writes != writes+1 {
			t.Errorf("restarted %t: healed, it writes %v", restarted, got)
		}
		want := []string{
			"Normal DriftHealed Deployment/api: spec.replicas was changed: written as it should be",
			"Normal Progressing run shop-1: 1 of 2 services ready; api: written",
			"Normal Ready 2 services ready",
		}
		if diff := cmp.Diff(want, l.happened()); diff != "" {
			t.Errorf("restarted %t: events (-want +got):\n%s", restarted, diff)
		}
	}
	if got := l.runs(); len(got) != 1 {
		t.Errorf("healing began a run: %v", got)
	}
}

func TestWhatIsChangedAgainAndAgainIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.tamper("api", 3)
	l.pass()
	l.tamper("api", 4)
	l.happened()
	writes := l.target.writes
	for range 2 {
		l.pass()
		l.condition("Deployment/api: spec.replicas was changed, and stays so: it was healed once; the next try is at 2026-11-22T12:00:13Z")
	}
	if l.target.writes != writes {
		t.Errorf("%d writes within the pause", l.target.writes-writes)
	}
	if diff := cmp.Diff([]time.Duration{9 * time.Second}, l.woken); diff != "" {
		t.Errorf("wakes after (-want +got):\n%s", diff)
	}
	want := []string{"Warning Drifted Deployment/api: spec.replicas was changed, and stays so: it was healed once; the next try is at 2026-11-22T12:00:13Z", "Normal Ready 2 services ready"}
	if diff := cmp.Diff(want, l.happened()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	l.later(9 * time.Second)
	l.pass()
	if l.target.writes != writes+1 {
		t.Errorf("%d writes after the pause", l.target.writes-writes)
	}
	l.condition("")
}

func TestDriftIsOnlyToldWithWarn(t *testing.T) {
	t.Parallel()
	l := newLab(t, withDrift(v1alpha1.DriftWarn))
	l.bringUp()
	l.happened()
	writes := l.target.writes
	l.tamper("api", 3)
	l.pass()
	l.condition("Deployment/api: spec.replicas was changed, and stays so: drift is Warn")
	l.tells("Ready: 2 services ready")
	l.tamper("api", 4)
	l.pass()
	want := []string{"Warning Drifted Deployment/api: spec.replicas was changed, and stays so: drift is Warn"}
	if diff := cmp.Diff(want, l.happened()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	l.tamper("api", 1)
	l.pass()
	l.condition("")
	if l.target.writes != writes {
		t.Errorf("%d writes", l.target.writes-writes)
	}
}

func TestADeletedObject(t *testing.T) {
	t.Parallel()
	tests := map[v1alpha1.DriftPolicy]struct {
		tells, condition string
		writes           int
	}{
		v1alpha1.DriftHeal: {tells: "Progressing: 1 of 2 services ready; api: written", writes: 1},
		v1alpha1.DriftWarn: {
			tells:     "Failed: service api failed: Drifted: Deployment/api was deleted and is not put back: drift is Warn",
			condition: "Deployment/api was deleted, and stays so: drift is Warn",
		},
		v1alpha1.DriftIgnore: {tells: "Failed: service api failed: Drifted: Deployment/api was deleted and is not put back: drift is Ignore"},
	}
	for policy, tc := range tests {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, withDrift(policy))
			l.bringUp()
			writes := l.target.writes
			for k := range l.target.objects {
				if k.Kind == "Deployment" && k.Name == "api" {
					delete(l.target.objects, k)
				}
			}
			l.later(time.Second)
			l.restart()
			l.pass()
			l.tells(tc.tells)
			l.condition(tc.condition)
			if got := l.target.writes - writes; got != tc.writes {
				t.Errorf("%d writes, want %d", got, tc.writes)
			}
			l.edit(func(env *v1alpha1.Environment) { env.Spec.Run = &v1alpha1.RunLayer{Attempt: "2"} })
			l.pass()
			if l.target.deployment("api") == nil {
				t.Errorf("another attempt does not write it: %s", l.told())
			}
			l.condition("")
		})
	}
}

func TestWhoSaysWhatIsDoneAboutDrift(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ env, class, want v1alpha1.DriftPolicy }{
		"nobody":                             {want: v1alpha1.DriftHeal},
		"the class":                          {class: v1alpha1.DriftWarn, want: v1alpha1.DriftWarn},
		"the environment, against its class": {env: v1alpha1.DriftIgnore, class: v1alpha1.DriftWarn, want: v1alpha1.DriftIgnore},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, class := &v1alpha1.Environment{}, &v1alpha1.EnvironmentClass{}
			env.Spec.Drift, class.Spec.Drift = tc.env, tc.class
			if got := driftPolicy(env, class); got != tc.want {
				t.Errorf("driftPolicy() = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestASentenceAboutMuchDriftIsShort(t *testing.T) {
	t.Parallel()
	all := make([]engine.Drift, 20)
	for i := range all {
		all[i].Kind, all[i].Name, all[i].Stays = "ConfigMap", "web", "drift is Warn"
	}
	if got := drifted(all); len(got) > 600 || got[len(got)-19:] != "and 12 more objects" {
		t.Errorf("drifted() = %q", got)
	}
	if got := healed(all); len(got) > 600 {
		t.Errorf("healed() = %q", got)
	}
}
