package coverage

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// lcov reads a trace file of LCOV: a record for each source file of each test, with a line
// `DA:line,hits` for each of its lines. One that several tests report counts once. Records
// without such lines are counted by their sums, LF and LH.
func lcov(text []byte) (Share, error) {
	var sums, record Share
	lines := map[string]bool{}
	source, detailed := "", false
	for raw := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(raw)), ":")
		var err error
		switch key {
		case "SF":
			source, detailed, record = value, false, Share{}
		case "DA":
			detailed = true
			number, hits, found := strings.Cut(value, ",")
			if !found {
				return Share{}, fmt.Errorf("%q is not `DA:line,hits`", strings.TrimSpace(string(raw)))
			}
			hits, _, _ = strings.Cut(hits, ",") // a checksum may follow
			line := source + ":" + number
			lines[line] = lines[line] || hits != "0"
		case "LF":
			record.All, err = strconv.Atoi(value)
		case "LH":
			record.Run, err = strconv.Atoi(value)
		case "end_of_record":
			if !detailed {
				sums.Run, sums.All = sums.Run+record.Run, sums.All+record.All
			}
		}
		if err != nil {
			return Share{}, fmt.Errorf("%q: %w", strings.TrimSpace(string(raw)), err)
		}
	}
	for _, run := range lines {
		sums.All++
		if run {
			sums.Run++
		}
	}
	return sums, nil
}
