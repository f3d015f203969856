package environment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

// A status that only shows progress waits until a second after the last one.
func TestProgressIsToldOnceASecond(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	steps := []struct {
		name  string
		at    time.Duration
		pods  int64
		wakes time.Duration
		tells string
	}{
		{"too soon", 100 * time.Millisecond, 0, 900 * time.Millisecond, "0 of 2 services ready; db: written"},
		{"still too soon", 999 * time.Millisecond, 1, time.Millisecond, "0 of 2 services ready; db: written"},
		{"in time", time.Second, 1, 0, "0 of 2 services ready; db: 0 of 1 pods are ready at the new version"},
		{"with nothing new", 1100 * time.Millisecond, 1, 0, "0 of 2 services ready; db: 0 of 1 pods are ready at the new version"},
	}
	for _, s := range steps {
		l.clock.SetTime(began.Add(s.at))
		l.target.begin("db", s.pods)
		l.pass()
		l.tells("Progressing: " + s.tells)
		var wakes time.Duration
		for _, d := range l.woken {
			if d <= tellEvery {
				wakes = d
			}
		}
		if wakes != s.wakes {
			t.Errorf("%s: wakes after %v, want %s", s.name, l.woken, s.wakes)
		}
		if s.wakes > 0 && len(l.writes()) > 0 {
			t.Errorf("%s: writes %v", s.name, l.writes())
		}
	}
}

func TestAPauseGrowsWithLengthAndTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		moving  int64
		running time.Duration
		want    time.Duration
	}{
		"a small product that has begun": {moving: 6, want: time.Second},
		"one that takes long":            {moving: 6, running: 18 * time.Second, want: 3 * time.Second},
		"one that takes very long":       {moving: 6, running: time.Hour, want: tellLatest},
		"many services":                  {moving: 300, running: time.Second, want: 3 * time.Second},
		"many environments":              {moving: 20 * 50, want: tellLatest},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := pause(tc.moving, tc.running); got != tc.want {
				t.Errorf("pause(%d, %s) = %s, want %s", tc.moving, tc.running, got, tc.want)
			}
		})
	}
}

// Environments that move no more do not slow down what is told of others.
func TestWhatMovesIsCounted(t *testing.T) {
	t.Parallel()
	all := newMemories(func(types.NamespacedName) *engine.Outbox { return nil })
	one, other := types.NamespacedName{Name: "one"}, types.NamespacedName{Name: "other"}
	steps := []struct {
		name string
		do   func()
		want int64
	}{
		{"two move", func() { all.move(all.of(one, "1"), 50); all.move(all.of(other, "2"), 10) }, 60},
		{"one is there", func() { all.move(all.of(one, "1"), 0) }, 10},
		{"it moves again", func() { all.move(all.of(one, "1"), 50) }, 60},
		{"a namesake takes its place", func() { all.of(one, "3") }, 10},
		{"the other one is deleted", func() { all.forget(other) }, 0},
	}
	for _, s := range steps {
		s.do()
		if got := all.moving.Load(); got != s.want {
			t.Errorf("%s: %d services move, want %d", s.name, got, s.want)
		}
	}
}

func TestNewsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pass()
	l.target.comeUp("db")
	l.clock.SetTime(began.Add(10 * time.Millisecond))
	l.pass()
	l.target.comeUp("api")
	l.clock.SetTime(began.Add(20 * time.Millisecond))
	l.pass()
	l.tells("Ready: 2 services ready")
}

func TestTheClocksOfTheClassHold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	limited := class()
	limited.Spec.NoProgressSeconds, limited.Spec.DeadlineSeconds, limited.Generation = 7, 30, 2
	l.must(l.client.Tracker().Update(v1alpha1.SchemeGroupVersion.WithResource("environmentclasses"), limited, ""))
	l.pass()
	l.target.begin("db", 1)
	l.clock.SetTime(began.Add(time.Second))
	l.pass()
	if diff := cmp.Diff([]time.Duration{7 * time.Second}, l.woken); diff != "" {
		t.Errorf("wakes after (-want +got):\n%s", diff)
	}
	l.clock.SetTime(began.Add(8 * time.Second))
	l.pass()
	l.tells("Failed: service db failed: NoProgress: no progress for 7s: 0 of 1 pods are ready at the new version; 1 service blocked by it")
	if run := l.run("shop-1"); run.Status.Phase != v1alpha1.PhaseFailed || !run.Done() || run.Status.Services[0].Cause == nil {
		t.Errorf("run %+v", run.Status)
	}
	l.clock.SetTime(began.Add(9 * time.Second))
	l.pass()
	if got := l.writes(); len(got) > 0 {
		t.Errorf("a pass after the failure writes %v: %s", got, l.told())
	}
}

// What happens after the end of a run is told by the environment alone.
func TestARunThatHasEndedIsHistory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	before := l.run("shop-1")
	l.target.begin("db", 1)
	l.clock.SetTime(l.clock.Now().Add(time.Hour))
	l.pass()
	l.tells("Progressing: 1 of 2 services ready; db: 0 of 1 pods are ready at the new version")
	l.target.comeUp("db")
	l.clock.SetTime(l.clock.Now().Add(time.Second))
	l.pass()
	l.tells("Ready: 2 services ready")
	if diff := cmp.Diff(before, l.run("shop-1")); diff != "" {
		t.Errorf("the run changed (-before +after):\n%s", diff)
	}
}

func TestWhoSaysWhatAFailureDoes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env, class v1alpha1.OnFailure
		want       bool
	}{
		"nobody":                             {},
		"the class":                          {class: v1alpha1.OnFailureStop, want: true},
		"the environment":                    {env: v1alpha1.OnFailureStop, want: true},
		"the environment, against its class": {env: v1alpha1.OnFailureIsolate, class: v1alpha1.OnFailureStop},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, class := &v1alpha1.Environment{}, &v1alpha1.EnvironmentClass{}
			env.Spec.OnFailure, class.Spec.OnFailure = tc.env, tc.class
			if got := stops(env, class, &v1alpha1.EnvironmentRun{}); got != tc.want {
				t.Errorf("stops() = %t, want %t", got, tc.want)
			}
		})
	}
}
