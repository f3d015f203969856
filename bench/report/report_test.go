package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"spock.dev/spock/bench/report"
)

func written(t *testing.T, write func(io.Writer, []report.Row) error, rows []report.Row) string {
	t.Helper()
	var text bytes.Buffer
	if err := write(&text, rows); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestATableIsReadCaseByCase(t *testing.T) {
	t.Parallel()
	golden(t, "table.txt", written(t, report.Table, results))
	var line bytes.Buffer
	if err := report.Line(&line, results[2]); err != nil {
		t.Fatal(err)
	}
	golden(t, "line.txt", line.String())
}

func TestAPageHasThePictureTheTablesAndWhatWasMissed(t *testing.T) {
	t.Parallel()
	golden(t, "page.md", written(t, func(w io.Writer, rows []report.Row) error {
		return report.Page(w, "On two processors.", "benchmark.svg", rows)
	}, results))
}

func TestThePictureIsWellFormed(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]report.Row{"plot.svg": results, "empty.svg": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := written(t, report.Plot, rows)
			golden(t, name, text)
			for tokens := xml.NewDecoder(strings.NewReader(text)); ; {
				if _, err := tokens.Token(); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					t.Fatalf("read the picture: %v", err)
				}
			}
		})
	}
}

func TestWhatWasMissedIsSaidWithHowMuch(t *testing.T) {
	t.Parallel()
	golden(t, "missed.txt", strings.Join(report.Missed(results), "\n")+"\n")
	golden(t, "missed-alone.txt", strings.Join(report.Missed(results[:1]), "\n")+"\n")
}

func TestFactsThatDoNotHoldAreSaid(t *testing.T) {
	t.Parallel()
	row := func(what string, m measures) report.Row {
		return report.Row{Case: what, Engine: "spock", Mode: "default", Services: 10, Measures: m}
	}
	tests := map[string]struct {
		row  report.Row
		want string
	}{
		"all is well":                 {row("up/needs", measures{"order_violations": 0, "workloads_written": 10, "written_twice": 0, "overhead_s": 99}), ""},
		"the order is broken":         {row("down/needs", measures{"order_violations": 2}), "down/needs 10: order_violations is 2, not 0"},
		"a no-op writes":              {row("no-op/needs", measures{"order_violations": 0, "writes": 1}), "no-op/needs 10: writes is 1, not 0"},
		"an update is not done":       {row("all/needs", measures{"order_violations": 0, "workloads_written": 0, "written_twice": 0}), "all/needs 10: workloads_written is 0, not 10"},
		"a workload is written twice": {row("killed/needs", measures{"order_violations": 0, "workloads_written": 10, "written_twice": 1}), "killed/needs 10: written_twice is 1, not 0"},
		"what should be is not there": {row("one/needs", measures{"order_violations": 0}), "one/needs 10: workloads_written is -, not 1"},
		"a cause is named":            {row("fault/no-image", measures{"cause_s": 9}), ""},
		"a cause is not named":        {row("fault/no-image", measures{}), "fault/no-image 10: no cause was named"},
		"a peer is not ours":          {report.Row{Case: "up/needs", Engine: "loop"}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(report.Broken([]report.Row{tc.row}), "\n"); got != tc.want {
				t.Errorf("Broken() = %q, want %q", got, tc.want)
			}
		})
	}
}
