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

// behind tells where peers needed less than Spock: a sentence for each peer and measure,
// with the case in which it is worst.
func behind(rows, ours []Row) []string {
	if len(rows) == len(ours) {
		return []string{"no peer was measured in this run"}
	}
	var all []string
	for _, who := range rivals(rows) {
		for _, m := range compared {
			if lost := duel(rows, ours, who, m); lost.lost > 0 {
				all = append(all, fmt.Sprintf("%s is ahead in %s in %d of %d cases, most in %s: %s to %s%s",
					who, m, lost.lost, lost.of, lost.ours.place(), cell(lost.theirs, m), cell(lost.ours, m), excuse(lost.theirs)))
			}
		}
	}
	return all
}

// rivals are the peers in the order in which they were run.
func rivals(rows []Row) []string {
	var all []string
	for _, r := range rows {
		if r.Engine != spock && !slices.Contains(all, r.who()) {
			all = append(all, r.who())
		}
	}
	return all
}

// score is how often a peer was better in a measure, and where by the most.
type score struct {
	lost, of     int
	ours, theirs Row
}

func duel(rows, ours []Row, who, measure string) score {
	var s score
	for _, r := range ours {
		for _, peer := range at(rows, r.place()) {
			if peer.who() != who || !r.has(measure) || !peer.has(measure) {
				continue
			}
			s.of++
			gap := r.Measures[measure] - peer.Measures[measure]
			if gap <= 0 {
				continue
			}
			if s.lost == 0 || gap > s.ours.Measures[measure]-s.theirs.Measures[measure] {
				s.ours, s.theirs = r, peer
			}
			s.lost++
		}
	}
	return s
}

// excuse: who does not keep the order does not wait either.
func excuse(peer Row) string {
	if n := peer.Measures["order_violations"]; n > 0 {
		return fmt.Sprintf(", with %g services written too early", n)
	}
	return ""
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
