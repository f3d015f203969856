package cli

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// attempt is a run of shop that began some minutes ago.
func attempt(number int64, ago time.Duration, changes ...func(*v1alpha1.EnvironmentRun)) *v1alpha1.EnvironmentRun {
	start := metav1.NewTime(now.Add(-ago))
	r := &v1alpha1.EnvironmentRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: fmt.Sprintf("shop-%d", number), Labels: map[string]string{v1alpha1.LabelEnvironment: "shop"}},
		Spec:       v1alpha1.EnvironmentRunSpec{Environment: "shop", EnvironmentUID: string(environment("shop", ready).UID), Generation: number, Number: number, Source: "4f2a9c1", PlanDigest: "sha256:abc"},
		Status:     v1alpha1.EnvironmentRunStatus{Phase: v1alpha1.PhaseProgressing, Progress: "1/3", StartTime: &start},
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

func endedAs(phase v1alpha1.Phase, progress, message string, after time.Duration) func(*v1alpha1.EnvironmentRun) {
	return func(r *v1alpha1.EnvironmentRun) {
		end := metav1.NewTime(r.Status.StartTime.Add(after))
		r.Status.Phase, r.Status.Progress, r.Status.Message, r.Status.CompletionTime, r.Status.Writes = phase, progress, message, &end, 12
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	namesakes := attempt(9, 48*time.Hour, func(r *v1alpha1.EnvironmentRun) { r.Spec.EnvironmentUID = "of-a-namesake" })
	w := func(t *testing.T) *world {
		return newWorld(t, environment("shop", ready), environment("empty", unseen), namesakes,
			attempt(2, time.Hour, endedAs(v1alpha1.PhaseFailed, "1/3", "service orders failed: CrashLoop: it ends with exit code 3", 95*time.Second)),
			attempt(1, 26*time.Hour, endedAs(v1alpha1.PhaseReady, "3/3", "3 services ready", 14200*time.Millisecond)),
			attempt(3, 58*time.Minute, endedAs(v1alpha1.PhaseReady, "3/3", "rolled back to run shop-1: 3 services ready", 20*time.Second), func(r *v1alpha1.EnvironmentRun) {
				r.Spec.Snapshot = []byte("nobody reads it")
				r.Spec.Rollback = &v1alpha1.Rollback{From: "shop-2", To: "shop-1", PlanDigest: "sha256:bad", Service: "orders", Cause: &v1alpha1.Cause{Class: v1alpha1.CauseCrashLoop, Message: "it ends with exit code 3"}}
			}),
			attempt(10, 30*time.Second, func(r *v1alpha1.EnvironmentRun) { r.Spec.Source = "" }))
	}
	for name, args := range map[string][]string{
		"history":         {"env", "history", "shop"},
		"history-wide":    {"env", "history", "shop", "-o", "wide"},
		"history-name":    {"env", "history", "shop", "-o", "name"},
		"history-yaml":    {"env", "history", "shop", "-o", "yaml"},
		"history-empty":   {"env", "history", "empty"},
		"history-missing": {"env", "history", "shopp"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w(t).run(args...).golden(t, name)
		})
	}
}
