// Package report tells what was measured: as a table, as JSON, as a picture.
package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Row is one case of one engine.
type Row struct {
	Case     string             `json:"case"`
	Engine   string             `json:"engine"`
	Mode     string             `json:"mode"`
	Services int                `json:"services"`
	Measures map[string]float64 `json:"-"`
}

// Table prints rows.
func Table(w io.Writer, rows []Row) error {
	for _, r := range rows {
		fmt.Fprintf(w, "%-14s %-8s %4d", r.Case, r.Engine, r.Services)
		for _, name := range slices.Sorted(maps.Keys(r.Measures)) {
			fmt.Fprintf(w, " %s=%.4g", name, r.Measures[name])
		}
		fmt.Fprintln(w)
	}
	return nil
}
