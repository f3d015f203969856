// Package report tells what was measured: as a table, as JSON, as Markdown, as a picture,
// and which targets were missed by how much. It is pure; how something is measured is
// package measure's.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// Row is one case of one engine.
type Row struct {
	// Case is what was done, then how the work was ordered: up/groups, up/needs.
	Case string
	// Engine is "spock" or a peer, Mode how it was set.
	Engine, Mode string
	// Services of the work.
	Services int
	// Measures by name. A name ends in its unit, as overhead_s and peak_rss_mib do; a name
	// without one is a number of things. What was not measured is not in it.
	Measures map[string]float64
}

// spock is the engine that the targets are about.
const spock = "spock"

// words are the fields of a row that are not measures.
var words = []string{"case", "engine", "mode", "services"}

// fields of a row in their order; measures are in the order of their names, rounded to
// four digits after the point.
func (r Row) fields() ([]field, error) {
	all := []field{{"case", r.Case}, {"engine", r.Engine}, {"mode", r.Mode}, {"services", r.Services}}
	for _, name := range slices.Sorted(maps.Keys(r.Measures)) {
		v := r.Measures[name]
		if slices.Contains(words, name) || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("case %s of %s: measure %q is no measure: %v", r.Case, r.Engine, name, v)
		}
		all = append(all, field{name, rounded(v)})
	}
	return all, nil
}

type field struct {
	name  string
	value any
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// MarshalJSON writes the measures beside the other fields.
func (r Row) MarshalJSON() ([]byte, error) {
	fields, err := r.fields()
	if err != nil {
		return nil, err
	}
	text := []byte{'{'}
	for i, f := range fields {
		name, nameErr := json.Marshal(f.name)
		value, valueErr := json.Marshal(f.value)
		if err := errors.Join(nameErr, valueErr); err != nil {
			return nil, fmt.Errorf("write %s of case %s: %w", f.name, r.Case, err)
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, name...), ':'), value...)
	}
	return append(text, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Row) UnmarshalJSON(text []byte) error {
	known := struct {
		Case, Engine, Mode string
		Services           int
	}{}
	fields := map[string]json.RawMessage{}
	if err := errors.Join(json.Unmarshal(text, &known), json.Unmarshal(text, &fields)); err != nil {
		return fmt.Errorf("read a row: %w", err)
	}
	*r = Row{Case: known.Case, Engine: known.Engine, Mode: known.Mode, Services: known.Services, Measures: map[string]float64{}}
	for name, raw := range fields {
		if slices.Contains(words, name) {
			continue
		}
		var v float64
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("read measure %s of case %s: %w", name, r.Case, err)
		}
		r.Measures[name] = v
	}
	return nil
}

// JSON writes rows as an array, a line each, so that two runs can be compared line by line.
func JSON(w io.Writer, rows []Row) error {
	text := []byte("[")
	for i, r := range rows {
		one, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, "\n  "...), one...)
	}
	_, err := w.Write(append(text, "\n]\n"...))
	return err
}

// Read reads what JSON wrote.
func Read(r io.Reader) ([]Row, error) {
	var rows []Row
	if err := json.NewDecoder(r).Decode(&rows); err != nil {
		return nil, fmt.Errorf("read the results: %w", err)
	}
	return rows, nil
}
