package report

import (
	"fmt"
	"slices"
	"strings"
)

// target is what a measure of Spock's is to stay below, in the cases it is about.
type target struct {
	measure string
	about   func(Row) bool
	limit   func(Row) float64
}

// large is the size from which the targets of time and memory are about.
const large = 500

// targets of the engine; docs/benchmark.md has them in words.
var targets = []target{
	{"overhead_s", fineAndLarge, func(r Row) float64 { return max(0.5, r.Measures["t_min_s"]/100) }},
	{"lateness_p99_ms", anyCase, atMost(100)},
	{"requests", func(r Row) bool { return r.has("objects_changed") && !nothing(r) }, func(r Row) float64 { return 1.1*r.Measures["objects_changed"] + 20 }},
	{"writes", nothing, atMost(0)},
	{"peak_rss_mib", func(r Row) bool { return r.Services >= large }, atMost(100)},
	{"order_violations", anyCase, atMost(0)},
	{"cause_s", anyCase, atMost(2)},
}

// compared are the measures in which Spock is to be ahead of every peer.
var compared = []string{"overhead_s", "lateness_p99_ms", "requests", "writes", "cpu_s", "peak_rss_mib", "order_violations", "cause_s"}

func anyCase(Row) bool { return true }

func nothing(r Row) bool { return verb(r) == "no-op" }

func fault(r Row) bool { return verb(r) == "fault" }

// fineAndLarge are the deploys in which only fine needs gate, with services enough.
func fineAndLarge(r Row) bool {
	return r.Services >= large && strings.HasSuffix(r.Case, "/needs") && slices.Contains([]string{"up", "one", "all"}, verb(r))
}

// verb is what was done in a case.
func verb(r Row) string {
	verb, _, _ := strings.Cut(r.Case, "/")
	return verb
}

func atMost(n float64) func(Row) float64 { return func(Row) float64 { return n } }

// Missed tells, a sentence each, which targets Spock missed and by how much, which it was
// not measured for, and where a peer of the same run was better. None means all reached.
func Missed(rows []Row) []string {
	var ours []Row
	for _, r := range rows {
		if r.Engine == spock {
			ours = append(ours, r)
		}
	}
	var all []string
	for _, t := range targets {
		all = append(all, t.missed(ours)...)
	}
	for _, r := range ours {
		if _, named := r.Measures["cause_s"]; fault(r) && !named {
			all = append(all, fmt.Sprintf("%s: no cause was named", r.place()))
		}
	}
	return append(all, behind(rows, ours)...)
}

func (t target) missed(ours []Row) []string {
	var all []string
	measured := false
	for _, r := range ours {
		v, is := r.Measures[t.measure]
		if !is || !t.about(r) {
			continue
		}
		measured = true
		if limit := t.limit(r); v > limit {
			all = append(all, fmt.Sprintf("%s: %s %s, %s above the target of %s", r.place(), t.measure, cell(r, t.measure), number(v-limit), number(limit)))
		}
	}
	if !measured {
		all = append(all, t.measure+": its target was not measured in this run")
	}
	return all
}

// behind tells where a peer needed less than Spock.
func behind(rows, ours []Row) []string {
	var all []string
	if len(rows) == len(ours) {
		all = append(all, "no peer was measured in this run")
	}
	for _, r := range ours {
		for _, peer := range at(rows, r.place()) {
			for _, m := range compared {
				v, is := r.Measures[m]
				p, too := peer.Measures[m]
				if peer.Engine == spock || !is || !too || p >= v {
					continue
				}
				all = append(all, fmt.Sprintf("%s: %s is ahead in %s, %s to %s%s", r.place(), peer.who(), m, cell(peer, m), cell(r, m), excuse(peer)))
			}
		}
	}
	return all
}

// excuse: who does not keep the order does not wait either.
func excuse(peer Row) string {
	if n := peer.Measures["order_violations"]; n > 0 {
		return fmt.Sprintf(", with %g services written too early", n)
	}
	return ""
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
