// Package history tells from past EnvironmentRuns how long services take: which of them
// to write first, and when one takes suspiciously long.
//
// It is pure, and it guesses nothing of a service that no run has seen become ready.
package history

import (
	"math"
	"slices"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// History is how long services took in past runs, from their first write to ready. The
// zero History knows nothing.
type History struct {
	took map[string][]time.Duration // by service, the shortest first
}

// Of reads runs. A service that was ready without a write in a run says nothing there.
func Of(runs []*v1alpha1.EnvironmentRun) History {
	h := History{took: map[string][]time.Duration{}}
	for _, run := range runs {
		for i := range run.Status.Services {
			s := &run.Status.Services[i]
			if s.StartedAt != nil && s.ReadyAt != nil && !s.ReadyAt.Before(s.StartedAt) {
				h.took[s.Name] = append(h.took[s.Name], s.ReadyAt.Sub(s.StartedAt.Time))
			}
		}
	}
	for _, took := range h.took {
		slices.Sort(took)
	}
	return h
}

// Quantile is the time within which the share q (0 to 1) of a service's readings lie, by
// nearest rank; false when there is none.
func (h History) Quantile(service string, q float64) (time.Duration, bool) {
	took := h.took[service]
	if len(took) == 0 {
		return 0, false
	}
	rank := int(math.Ceil(q*float64(len(took)))) - 1
	return took[min(max(rank, 0), len(took)-1)], true
}

// Usual is what each service that is known usually takes: the 90th percentile.
func (h History) Usual() map[string]time.Duration {
	usual := make(map[string]time.Duration, len(h.took))
	for service := range h.took {
		usual[service], _ = h.Quantile(service, 0.9)
	}
	return usual
}

// Suspicious is the time after which a service takes suspiciously long: three times its
// 99th percentile, within bounds; false when nothing is known of it.
func (h History) Suspicious(service string, bounds Bounds) (time.Duration, bool) {
	slow, known := h.Quantile(service, 0.99)
	return min(max(3*slow, bounds.Floor), bounds.Ceiling), known
}

// Bounds are the shortest and the longest a derived time can be.
type Bounds struct{ Floor, Ceiling time.Duration }
