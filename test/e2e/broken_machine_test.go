//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// startsSlowly brings a shop up whose db starts slowly on a machine, with web behind it;
// catalog waits as long for cache, in pods.
func (l *lab) startsSlowly() {
	l.Helper()
	web, catalog := l.service("web", "page"), l.service("catalog", "page")
	web.Needs, catalog.Needs = []v1alpha1.Need{{Service: "db"}}, []v1alpha1.Need{{Service: "cache"}}
	db, cache := onHost(l.service("db", "store")), l.service("cache", "page")
	db.Parameters = map[string]apiextensionsv1.JSON{"delay": *raw(15)}
	cache.Parameters = map[string]apiextensionsv1.JSON{"delay": *raw(15)}
	made := product("shop", group("all", db, cache, web, catalog))
	made.Spec.Order = v1alpha1.OrderNeeds
	l.create(stores(), page(), made, l.environment("shop", "shop"))
}

// dbStarts waits until db has begun to start on the machine.
func (l *lab) dbStarts() {
	l.Helper()
	await(l, l.environmentRef("shop"), soon, "db starts on the machine", func(env *v1alpha1.Environment) bool {
		db := env.Status.Service("db")
		return db != nil && strings.Contains(db.Message, "starts on host box")
	})
}

// dbFailsFor waits until db has failed for a cause of that class, within a time, and only web
// is held up by it.
func (l *lab) dbFailsFor(class v1alpha1.CauseClass, within time.Duration) {
	l.Helper()
	began := time.Now()
	cause := l.isAt("shop", "db", v1alpha1.ServiceFailed).Status.Service("db").Cause
	took := time.Since(began)
	if cause.Class != class || took > within {
		l.Fatalf("after %s db is failed for %+v, want %s within %s", took.Round(time.Second), cause, class, within)
	}
	l.Logf("after %s: %s", took.Round(100*time.Millisecond), cause.Sentence())
	l.isAt("shop", "catalog", v1alpha1.ServiceReady)
	status := l.reaches("shop", v1alpha1.PhaseFailed, 1).Status
	if got := status.Service("web"); got.State != v1alpha1.ServiceBlocked || !slices.Equal(got.WaitingFor, []string{"db"}) {
		l.Errorf("web is %s by %v, want blocked by db", got.State, got.WaitingFor)
	}
	if why := l.spockCommand("env", "why", "shop", "-n", l.name); !strings.Contains(why, string(class)) || !strings.Contains(why, "host box") || !strings.Contains(why, "web") {
		l.Errorf("spock env why says:\n%s", why)
	}
}

// isTakenAway deletes the shop, which leaves nothing on the machine.
func (l *lab) isTakenAway(m *machine, before string) {
	l.Helper()
	l.must(l.spock.SpockV1alpha1().Environments(l.name).Delete(l.ctx, "shop", metav1.DeleteOptions{}))
	l.gone(l.environmentRef("shop"), 3*soon)
	if after := m.ask(leftovers); after != before {
		l.Errorf("the environment is gone, and the machine, before:\n%s\nafter:\n%s", before, after)
	}
}

// TestAMachineThatIsAwayHoldsUpOnlyWhatNeedsIt cuts the network of a machine in the middle
// of a rollout.
func TestAMachineThatIsAwayHoldsUpOnlyWhatNeedsIt(t *testing.T) {
	t.Parallel()
	needsNode(t, "no machine stands beside it")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	l.startsSlowly()
	l.dbStarts()
	l.eventually(soon, func(context.Context) string {
		return m.ask(`systemctl show --property=SubState --value 'spock-*' | grep -v start-post; ls -d /var/lib/spock/incoming 2>/dev/null || true`)
	})
	started := m.ask(standing)

	m.cable("down")
	t.Cleanup(func() { m.cable("up") })
	l.dbFailsFor("HostUnreachable", 20*time.Second)
	m.is("box", corev1.ConditionFalse, "HostUnreachable", soon)

	m.cable("up")
	back := time.Now()
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	t.Logf("ready %s after the cable was plugged in", time.Since(back).Round(100*time.Millisecond))
	if now := m.ask(standing); now != started {
		t.Errorf("db was written or started again; before the cut:\n%s\nafter it:\n%s", started, now)
	}
	l.isTakenAway(m, before)
}

// TestAMachineLosesItsPowerInTheMiddleOfARollout and comes back with an empty disk: what it
// was to run is put there anew, and the rollout goes on.
func TestAMachineLosesItsPowerInTheMiddleOfARollout(t *testing.T) {
	t.Parallel()
	needsNode(t, "no machine stands beside it")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	l.startsSlowly()
	l.dbStarts()
	m.power("cut")
	up := false
	t.Cleanup(func() {
		if !up {
			m.power("up")
		}
	})
	l.dbFailsFor("HostUnreachable", 20*time.Second)
	m.is("box", corev1.ConditionFalse, "HostUnreachable", soon)

	m.power("up")
	up = true
	back := time.Now()
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	t.Logf("ready %s after the machine had booted", time.Since(back).Round(100*time.Millisecond))
	if got := m.ask(units); strings.Count(got, ".service") != 1 {
		t.Errorf("the units are %q, want one", got)
	}
	l.isTakenAway(m, before)
}

// TestAFullDiskAndAnotherKey are told as what they are, and end when they have been put right.
func TestAFullDiskAndAnotherKey(t *testing.T) {
	t.Parallel()
	needsNode(t, "no machine stands beside it")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	m.ask("cat /dev/zero > /var/filler 2>/dev/null || true")
	t.Cleanup(func() { m.ask("rm -f /var/filler") })
	l.startsSlowly()
	l.dbFailsFor("HostDiskFull", 20*time.Second)
	m.ask("rm /var/filler")
	l.reaches("shop", v1alpha1.PhaseReady, 1)

	stood, back := m.ask(standing), m.rekey()
	m.cable("down")
	t.Cleanup(func() { m.cable("up") })
	m.is("box", corev1.ConditionFalse, "HostUnreachable", soon)
	m.cable("up")
	m.is("box", corev1.ConditionFalse, "HostKeyChanged", soon)
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
	})
	l.reaches("shop", v1alpha1.PhaseFailed, generation)
	l.dbFailsFor("HostKeyChanged", 20*time.Second)
	if now := m.ask(standing); now != stood {
		t.Errorf("a machine with another key was written to; before:\n%s\nafter:\n%s", stood, now)
	}
	back()
	m.is("box", corev1.ConditionTrue, "Reachable", 3*soon)
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	l.isTakenAway(m, before)
}
