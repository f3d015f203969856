package report

import "fmt"

// Broken tells, a sentence each, which facts do not hold that no slow machine excuses:
// Spock keeps the order, writes what was asked for and nothing when nothing was, and names
// causes.
func Broken(rows []Row) []string {
	var all []string
	for _, r := range rows {
		if r.Engine != spock {
			continue
		}
		for _, f := range facts {
			if got := r.Measures[f.measure]; f.about(r) && got != f.want(r) || f.about(r) && !r.has(f.measure) {
				all = append(all, fmt.Sprintf("%s: %s is %s, not %g", r.place(), f.measure, cell(r, f.measure), f.want(r)))
			}
		}
		if fault(r) && !r.has("cause_s") {
			all = append(all, fmt.Sprintf("%s: no cause was named", r.place()))
		}
	}
	return all
}

// facts are measures with the only value that is right.
var facts = []struct {
	measure string
	about   func(Row) bool
	want    func(Row) float64
}{
	{"order_violations", func(r Row) bool { return !fault(r) }, atMost(0)},
	{"writes", nothing, atMost(0)},
	{"workloads_written", every, func(r Row) float64 { return float64(r.Services) }},
	{"workloads_written", func(r Row) bool { return verb(r) == "one" }, atMost(1)},
	{"written_twice", every, atMost(0)},
}

// every are the cases that change all workloads.
func every(r Row) bool { return verb(r) == "up" || verb(r) == "all" || verb(r) == "killed" }
