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
	golden(t, "table.md", written(t, report.Markdown, results))
	var line bytes.Buffer
	if err := report.Line(&line, results[2]); err != nil {
		t.Fatal(err)
	}
	golden(t, "line.txt", line.String())
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
