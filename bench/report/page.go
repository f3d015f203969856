package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// sections of the page: what each of its tables is about.
var sections = []struct {
	title    string
	measures []string
	about    func(Row) bool // rows that are in it though they have none of its measures
}{
	{"Time and order", []string{"t_min_s", "wall_s", overhead, "lateness_p50_ms", "lateness_p99_ms", "lateness_max_ms", "order_violations"}, noCase},
	{"Cost", []string{"objects_changed", "requests", "requests_per_object", "writes", "written_twice", "cpu_s", "cluster_cpu_s", "peak_rss_mib", "machines_cpu_s"}, noCase},
	{"Failure", []string{"cause_s", "resume_s"}, fault},
}

// Page writes the results as a page of docs/, beside the picture of Plot. about is a
// sentence on the machine and the settings of the run.
func Page(w io.Writer, about, picture string, rows []Row) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# Results of the benchmark\n\nWritten by `make bench`; what is measured, and how, is in [benchmark](benchmark.md). %s\n\n", about)
	fmt.Fprintf(&text, "![Time beyond the physical limit, by case and engine](%s)\n", picture)
	for _, s := range sections {
		names := slices.DeleteFunc(columns(rows), func(name string) bool { return !slices.Contains(s.measures, name) })
		some := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !slices.ContainsFunc(names, r.has) && !s.about(r) })
		if len(some) > 0 {
			fmt.Fprintf(&text, "\n## %s\n\n%s", s.title, markdown(some, names))
		}
	}
	text.WriteString("\n## Missed\n\n")
	missed := Missed(rows)
	for _, m := range missed {
		text.WriteString("- " + m + "\n")
	}
	if len(missed) == 0 {
		text.WriteString("Nothing: all targets were reached, and no peer was ahead.\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func noCase(Row) bool { return false }

func (r Row) has(measure string) bool {
	_, is := r.Measures[measure]
	return is
}
