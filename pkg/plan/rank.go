package plan

import (
	"slices"
	"time"
)

// unknown is what a service is taken to need of which nothing is known.
const unknown = 10 * time.Second

// Ranks tells, by node, how long the longest way from it to the end of the plan takes:
// its own time and that of what waits for it. usual is the time of a service from its
// first write, hooks included. What has the highest rank holds up the whole, and is
// written first.
func (p *Plan) Ranks(usual map[string]time.Duration) map[string]time.Duration {
	ranks := make(map[string]time.Duration, len(p.Nodes))
	ready := map[string]time.Duration{}   // the longest way that begins when a node is ready
	started := map[string]time.Duration{} // ... when it is written
	for _, n := range slices.Backward(p.Nodes) {
		rank := max(n.takes(usual)+ready[n.Name], started[n.Name])
		ranks[n.Name] = rank
		for _, before := range n.After {
			after := ready
			if slices.Contains(n.Started, before) {
				after = started
			}
			after[before] = max(after[before], rank)
		}
	}
	return ranks
}

// takes is the node's own time. That of a hook is in the time of its service.
func (n Node) takes(usual map[string]time.Duration) time.Duration {
	if n.Kind != Service {
		return 0
	}
	if known, ok := usual[n.Service]; ok {
		return known
	}
	return unknown
}
