package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// order of the measures that are known; others come after them by name.
var order = []string{
	"t_min_s", "wall_s", "overhead_s", "lateness_p50_ms", "lateness_p99_ms", "lateness_max_ms", "order_violations",
	"objects_changed", "requests", "requests_per_object", "writes", "workloads_written", "written_twice", "cause_s", "cause_named", "resume_s",
	"cpu_s", "cluster_cpu_s", "peak_rss_mib", "machines_cpu_s",
}

// columns are the measures that any of the rows has.
func columns(rows []Row) []string {
	any := map[string]bool{}
	for _, r := range rows {
		for name := range r.Measures {
			any[name] = true
		}
	}
	var names []string
	for _, name := range order {
		if any[name] {
			names = append(names, name)
			delete(any, name)
		}
	}
	return append(names, slices.Sorted(maps.Keys(any))...)
}

// unit of a measure, from the end of its name; empty for a number of things.
func unit(measure string) (name, unit string) {
	i := strings.LastIndexByte(measure, '_')
	if i < 0 || !slices.Contains([]string{"s", "ms", "mib"}, measure[i+1:]) {
		return measure, ""
	}
	unit = measure[i+1:]
	if unit == "mib" {
		unit = "MiB"
	}
	return measure[:i], unit
}

// heading of a column: its words, and its unit in brackets.
func heading(measure string) []string {
	name, unit := unit(measure)
	words := strings.Split(name, "_")
	if unit != "" {
		words = append(words, "("+unit+")")
	}
	return words
}

// cell is a value with as many digits as mean something; a dash when it was not measured.
func cell(r Row, measure string) string {
	v, is := r.Measures[measure]
	if !is {
		return "-"
	}
	digits := 0
	switch _, u := unit(measure); {
	case u == "s", strings.HasSuffix(measure, "_per_object"):
		digits = 2
	case u != "":
		digits = 1
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-") // a time that is not worth a sign
	}
	return text
}

// place is a case of a size: what engines are compared in.
type place struct {
	Case     string
	Services int
}

func (r Row) place() place { return place{r.Case, r.Services} }

func (p place) String() string { return p.Case + " " + strconv.Itoa(p.Services) }

// places are the cases in the order in which they were run.
func places(rows []Row) []place {
	var all []place
	for _, r := range rows {
		if !slices.Contains(all, r.place()) {
			all = append(all, r.place())
		}
	}
	return all
}

// at are the rows of a case, Spock's first.
func at(rows []Row, p place) []Row {
	var ours, theirs []Row
	for _, r := range rows {
		switch {
		case r.place() != p:
		case r.Engine == spock:
			ours = append(ours, r)
		default:
			theirs = append(theirs, r)
		}
	}
	return append(ours, theirs...)
}

// who is an engine, with its mode where that is not the default.
func (r Row) who() string {
	if r.Mode == "" || r.Mode == "default" {
		return r.Engine
	}
	return r.Engine + " " + r.Mode
}
