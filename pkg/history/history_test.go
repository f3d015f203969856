package history_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/history"
)

var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// took is a service that took some seconds.
func took(name string, seconds int) v1alpha1.ServiceStatus {
	start := metav1.NewMicroTime(began)
	ready := metav1.NewMicroTime(began.Add(time.Duration(seconds) * time.Second))
	return v1alpha1.ServiceStatus{Name: name, StartedAt: &start, ReadyAt: &ready}
}

func run(services ...v1alpha1.ServiceStatus) *v1alpha1.EnvironmentRun {
	return &v1alpha1.EnvironmentRun{Status: v1alpha1.EnvironmentRunStatus{Services: services}}
}

func TestUsual(t *testing.T) {
	t.Parallel()
	unchanged := v1alpha1.ServiceStatus{Name: "cache", ReadyAt: took("", 1).ReadyAt}
	failed := v1alpha1.ServiceStatus{Name: "web", StartedAt: took("", 1).StartedAt}
	ten := make([]*v1alpha1.EnvironmentRun, 0, 10)
	for seconds := range 10 {
		ten = append(ten, run(took("db", 10-seconds)))
	}
	tests := map[string]struct {
		runs []*v1alpha1.EnvironmentRun
		want map[string]time.Duration
	}{
		"of no runs":                    {want: map[string]time.Duration{}},
		"of one":                        {runs: []*v1alpha1.EnvironmentRun{run(took("db", 3), took("api", 1))}, want: map[string]time.Duration{"db": 3 * time.Second, "api": time.Second}},
		"nine of ten were faster":       {runs: ten, want: map[string]time.Duration{"db": 9 * time.Second}},
		"what was not written is left":  {runs: []*v1alpha1.EnvironmentRun{run(unchanged)}, want: map[string]time.Duration{}},
		"what was not ready is left":    {runs: []*v1alpha1.EnvironmentRun{run(failed)}, want: map[string]time.Duration{}},
		"one slow run of two is usual":  {runs: []*v1alpha1.EnvironmentRun{run(took("db", 1)), run(took("db", 9))}, want: map[string]time.Duration{"db": 9 * time.Second}},
		"a run that knows other things": {runs: []*v1alpha1.EnvironmentRun{run(took("db", 1)), run(took("api", 2))}, want: map[string]time.Duration{"db": time.Second, "api": 2 * time.Second}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, history.Of(tc.runs).Usual()); diff != "" {
				t.Errorf("Usual() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSuspicious(t *testing.T) {
	t.Parallel()
	h := history.Of([]*v1alpha1.EnvironmentRun{run(took("fast", 1), took("db", 40), took("slow", 4000))})
	bounds := history.Bounds{Floor: time.Minute, Ceiling: time.Hour}
	tests := map[string]struct {
		want  time.Duration
		known bool
	}{
		"db":   {2 * time.Minute, true},
		"fast": {time.Minute, true},
		"slow": {time.Hour, true},
		"new":  {time.Minute, false},
	}
	for service, tc := range tests {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			if got, known := h.Suspicious(service, bounds); got != tc.want || known != tc.known {
				t.Errorf("Suspicious() = %s, %t; want %s, %t", got, known, tc.want, tc.known)
			}
		})
	}
}

func TestAQuantileIsAReadingAndGrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 30).Draw(t, "seconds")
		var runs []*v1alpha1.EnvironmentRun
		seen := map[time.Duration]bool{}
		for _, seconds := range readings {
			runs = append(runs, run(took("db", seconds)))
			seen[time.Duration(seconds)*time.Second] = true
		}
		h := history.Of(runs)
		low, high := rapid.Float64Range(0, 1).Draw(t, "low"), rapid.Float64Range(0, 1).Draw(t, "high")
		low, high = min(low, high), max(low, high)
		a, _ := h.Quantile("db", low)
		b, _ := h.Quantile("db", high)
		if a > b || !seen[a] || !seen[b] {
			t.Fatalf("quantiles %g and %g are %s and %s of %v", low, high, a, b, readings)
		}
	})
}
