package environment

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func backTo(run string, services ...string) func(*v1alpha1.Environment) {
	return func(env *v1alpha1.Environment) {
		env.Spec.Run = &v1alpha1.RunLayer{Attempt: "back", Source: "bad", Rollback: &v1alpha1.RollbackRequest{To: run, Services: services}}
	}
}

// up brings what is wanted up, tier by tier.
func (l *lab) up() {
	l.t.Helper()
	for _, name := range []string{"db", "api"} {
		l.later(time.Second)
		l.pass()
		l.target.comeUp(name)
	}
	l.later(time.Second)
	l.pass()
}

func TestARollbackThatSomebodyAsksFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		services []string
		images   string
		tells    string
	}{
		"of all":       {nil, "registry/db:1 registry/api:1", "Ready: rolled back to run shop-1: 2 services ready"},
		"of a service": {[]string{"api"}, "registry/db:2 registry/api:1", "Ready: service api rolled back to run shop-1: 2 services ready"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, func(env *v1alpha1.Environment) { env.Spec.Run = &v1alpha1.RunLayer{Source: "good"} })
			l.bringUp()
			l.edit(upAllTo(2))
			l.up()
			l.edit(backTo("shop-1", tc.services...))
			l.up()
			l.tells(tc.tells)
			if got := l.image("db") + " " + l.image("api"); got != tc.images {
				t.Errorf("there run %s, want %s", got, tc.images)
			}
			want := &v1alpha1.Rollback{From: "shop-2", To: "shop-1", Services: tc.services}
			if diff := cmp.Diff(want, l.env().Status.Rollback); diff != "" {
				t.Errorf("rollback (-want +got):\n%s", diff)
			}
			if ready := l.env().Status.GetCondition(apis.ConditionReady); !ready.IsTrue() {
				t.Errorf("condition %+v", ready)
			}
			if run := l.run("shop-3"); run.Spec.Source != "good" || run.Spec.Generation != 3 || run.Status.Phase != v1alpha1.PhaseReady {
				t.Errorf("the run %+v", run)
			}

			// It stays, when the run it went back to is forgotten and the templates change.
			l.must(l.client.Tracker().Delete(v1alpha1.SchemeGroupVersion.WithResource("environmentruns"), team, "shop-1"))
			changed := template()
			changed.Spec.Ports[0].Port, changed.Generation = 9090, 2
			l.put(changed, "servicetemplates")
			for range 2 {
				writes := l.target.writes
				l.later(time.Minute)
				l.pass()
				l.tells(tc.tells)
				if got := l.writes(); len(got) > 0 || l.target.writes != writes {
					t.Errorf("later it does %v and %d writes", got, l.target.writes-writes)
				}
				l.restart()
			}

			l.edit(func(env *v1alpha1.Environment) { env.Spec.Run = nil })
			l.up()
			l.tells("Ready: 2 services ready")
			if got := l.image("db") + " " + l.image("api"); got != "registry/db:2 registry/api:2" || l.env().Status.Rollback != nil {
				t.Errorf("without the rollback there run %s: %+v", got, l.env().Status.Rollback)
			}
		})
	}
}

// What somebody asked to go back to is not left again by itself.
func TestARollbackThatFailsIsAFailure(t *testing.T) {
	t.Parallel()
	l := newLab(t, rollsBack(""))
	l.bringUp()
	l.edit(upAllTo(2))
	l.up()
	l.edit(backTo("shop-1"))
	l.pass()
	l.target.breakDown("db")
	for range 3 {
		l.later(2 * time.Second)
		l.pass()
	}
	if got := l.told(); !strings.HasPrefix(got, "Failed: goes back to run shop-1: service db failed: NoProgress: ") || len(l.runs()) != 3 {
		t.Errorf("it tells %s after runs %v", got, l.runs())
	}
}

func TestARollbackThatCannotBe(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		to     func(*v1alpha1.Environment)
		want   string
	}{
		"to no run":                {nil, backTo("shop-9"), `spec.run.rollback.to: environment shop has no run "shop-9"; see: spock env history shop -n team-a`},
		"to a run that is no good": {nil, backTo("shop-2"), "spec.run.rollback.to: run shop-2 did not end Ready, it is Failed; go back to one that did: spock env history shop -n team-a"},
		"to a run without a copy": {func(l *lab) { l.snapshot(nil) }, backTo("shop-1"),
			"spec.run.rollback.to: run shop-1 keeps no copy of what it wrote; it would take more than 384 KiB, or an older Spock wrote it"},
		"to a run with a broken copy": {func(l *lab) { l.snapshot([]byte("x")) }, backTo("shop-1"),
			"spec.run.rollback.to: what run shop-1 wrote cannot be read: unpack the plan: unexpected EOF; go back to another run"},
		"of a service that it had not": {nil, backTo("shop-1", "ap"), `spec.run.rollback.services: run shop-1 had no service "ap"; did you mean "api"?`},
		"of a service that is no more": {func(l *lab) {
			smaller := shop()
			smaller.Spec.Groups, smaller.Generation = smaller.Spec.Groups[:1], 2
			l.put(smaller, "products")
		}, func(env *v1alpha1.Environment) { backTo("shop-1", "api")(env); env.Spec.Services = nil },
			`spec.run.rollback.services: the product has no service "api" any more; go back with all services, or name others`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.bringUp()
			l.edit(upAllTo(2))
			l.pass()
			l.target.breakDown("db")
			l.later(time.Second)
			l.pass()
			if tc.change != nil {
				tc.change(l)
			}
			l.restart()
			l.edit(tc.to)
			writes := l.target.writes
			l.pass()
			l.tells("Failed: " + tc.want)
			if ready := l.env().Status.GetCondition(apis.ConditionReady); ready.Reason != v1alpha1.ReasonInvalid || l.target.writes != writes || len(l.runs()) != 2 {
				t.Errorf("condition %+v after %d writes and runs %v", ready, l.target.writes-writes, l.runs())
			}
		})
	}
}
