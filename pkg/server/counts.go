package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

type series struct{ source, outcome string }

// counts are the deliveries by what came of them. The outcomes are a closed set, so that
// no sender can make new series.
type counts struct {
	mu    sync.Mutex
	taken map[series]int
}

func newCounts() *counts { return &counts{taken: map[series]int{}} }

func (c *counts) add(source, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[series{source, outcome}]++
}

// Metrics tells them in the text format of Prometheus.
func (d *Door) Metrics(w http.ResponseWriter, _ *http.Request) {
	c := d.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []series
	for s := range c.taken {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.outcome, b.outcome))
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprint(w, "# HELP spock_events_total Deliveries of webhooks by what came of them.\n# TYPE spock_events_total counter\n")
	for _, s := range all {
		fmt.Fprintf(w, "spock_events_total{source=%q,outcome=%q} %d\n", s.source, s.outcome, c.taken[s])
	}
}
