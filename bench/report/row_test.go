package report_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/report"
)

var update = flag.Bool("update", false, "write the golden files")

type measures = map[string]float64

// results of a run with a peer that loses, wins, and breaks the order.
var results = []report.Row{
	{Case: "up/groups", Engine: "spock", Mode: "default", Services: 10, Measures: measures{
		"t_min_s": 6.5, "wall_s": 6.7, "overhead_s": 0.2, "lateness_p99_ms": 21.44, "order_violations": 0, "objects_changed": 30,
		"requests": 44, "requests_per_object": 1.4667, "cpu_s": 0.4, "peak_rss_mib": 55.26}},
	{Case: "up/groups", Engine: "loop", Mode: "default", Services: 10, Measures: measures{
		"t_min_s": 6.4, "wall_s": 8.9, "overhead_s": 2.5, "lateness_p99_ms": 900, "order_violations": 0, "objects_changed": 30,
		"requests": 102, "requests_per_object": 3.4, "cpu_s": 0.21, "peak_rss_mib": 31}},
	{Case: "up/groups", Engine: "loop", Mode: "tuned", Services: 10, Measures: measures{
		"t_min_s": 6.4, "wall_s": 6.5, "overhead_s": 0.1, "lateness_p99_ms": 90, "order_violations": 3, "objects_changed": 30, "requests": 402}},
	{Case: "up/needs", Engine: "spock", Mode: "default", Services: 500, Measures: measures{
		"t_min_s": 80, "wall_s": 81.5, "overhead_s": 1.5, "lateness_p99_ms": 140, "order_violations": 1, "objects_changed": 1500,
		"requests": 1800, "requests_per_object": 1.2, "cpu_s": 9, "peak_rss_mib": 120}},
	{Case: "no-op/needs", Engine: "spock", Mode: "default", Services: 500, Measures: measures{"writes": 2, "overhead_s": -0.001}},
	{Case: "fault/no-image", Engine: "spock", Mode: "default", Services: 10, Measures: measures{"cause_s": 2.5}},
	{Case: "fault/crash-loop", Engine: "spock", Mode: "default", Services: 10, Measures: measures{"wall_s": 60}},
}

// golden compares with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatalf("write the golden file: %v", err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("read the golden file, -update writes it: %v", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestResultsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	if err := report.JSON(&text, results); err != nil {
		t.Fatal(err)
	}
	golden(t, "results.json", text.String())
	got, err := report.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(results, got); diff != "" {
		t.Errorf("rows (-written +read):\n%s", diff)
	}
}

func TestWhatIsNoMeasureIsRefused(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]measures{
		"a measure that would hide a field": {"case": 1},
		"a number that JSON has not":        {"overhead_s": math.Inf(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := report.JSON(&bytes.Buffer{}, []report.Row{{Case: "up", Engine: "spock", Measures: m}})
			if err == nil || !strings.Contains(err.Error(), "is no measure") {
				t.Errorf("JSON() = %v, want a refusal", err)
			}
		})
	}
}
