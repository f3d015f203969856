package environment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

// slowDatabase is a run of another environment of the product, in which db took 120 seconds.
func slowDatabase() *v1alpha1.EnvironmentRun {
	start, ready := metav1.NewMicroTime(began), metav1.NewMicroTime(began.Add(120*time.Second))
	return &v1alpha1.EnvironmentRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "other-1", Labels: map[string]string{v1alpha1.LabelProduct: "shop", v1alpha1.LabelEnvironment: "other"}},
		Spec:       v1alpha1.EnvironmentRunSpec{Environment: "other", EnvironmentUID: "uid-2"},
		Status:     v1alpha1.EnvironmentRunStatus{Services: []v1alpha1.ServiceStatus{{Name: "db", State: v1alpha1.ServiceReady, StartedAt: &start, ReadyAt: &ready}}},
	}
}

func TestPastRunsSetTheClocksThatTheClassLeavesOpen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		class func(*v1alpha1.EnvironmentClassSpec)
		want  engine.Clocks
	}{
		"both":         {class: func(*v1alpha1.EnvironmentClassSpec) {}, want: engine.Clocks{NoProgress: 360 * time.Second, Deadline: 360 * time.Second}},
		"the deadline": {class: func(s *v1alpha1.EnvironmentClassSpec) { s.NoProgressSeconds = 7 }, want: engine.Clocks{NoProgress: 7 * time.Second, Deadline: 360 * time.Second}},
		"the progress": {class: func(s *v1alpha1.EnvironmentClassSpec) { s.DeadlineSeconds = 30 }, want: engine.Clocks{NoProgress: 360 * time.Second, Deadline: 30 * time.Second}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			limited := class()
			limited.Spec.NoProgressSeconds, limited.Spec.DeadlineSeconds, limited.Generation = 0, 0, 2
			tc.class(&limited.Spec)
			l.must(l.client.Tracker().Update(v1alpha1.SchemeGroupVersion.WithResource("environmentclasses"), limited, ""))
			l.must(l.client.Tracker().Add(slowDatabase()))
			l.pass()
			l.target.begin("db", 1)
			l.clock.SetTime(began.Add(time.Second))
			l.woken = nil
			l.pass()
			if diff := cmp.Diff([]time.Duration{min(tc.want.NoProgress, tc.want.Deadline-time.Second)}, l.woken); diff != "" {
				t.Errorf("wakes after (-want +got):\n%s", diff)
			}
		})
	}
}
