package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table prints rows in columns, one of them in colours.
type table struct {
	paint   paint
	painted string // title of the column in colours
	titles  []string
	rows    [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// print writes titles, unless headless, and rows. Line breaks in a cell become blanks,
// and no line ends in blanks.
func (t *table) print(out io.Writer, headless bool) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if !headless {
		t.line(w, t.titles, func(string) string { return plainColor })
	}
	for _, row := range t.rows {
		t.line(w, row, colorOf)
	}
	w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
}

func (t *table) line(w io.Writer, cells []string, color func(string) string) {
	for i, cell := range cells {
		cell = strings.Join(strings.Fields(cell), " ")
		if t.titles[i] == t.painted {
			cell = t.paint.in(color(cell), cell)
		}
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, cell)
	}
	fmt.Fprintln(w)
}
