package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Table writes rows for a terminal, case by case, with the measures that any has.
func Table(w io.Writer, rows []Row) error {
	measures := columns(rows)
	heads, body := grid(rows, measures)
	widths := make([]int, len(heads))
	for i := range heads {
		for _, text := range heads[i] {
			widths[i] = max(widths[i], len(text))
		}
		for _, line := range body {
			if line != nil {
				widths[i] = max(widths[i], len(line[i]))
			}
		}
	}
	var text strings.Builder
	for _, line := range append(stacked(heads), body...) {
		text.WriteString(strings.TrimRight(aligned(line, widths), " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Line writes one row as one line, for who follows a run.
func Line(w io.Writer, r Row) error {
	text := fmt.Sprintf("%-14s %-8s %4d", r.Case, r.who(), r.Services)
	for _, name := range columns([]Row{r}) {
		text += " " + name + "=" + cell(r, name)
	}
	_, err := io.WriteString(w, text+"\n")
	return err
}

// markdown is rows as a table of a page.
func markdown(rows []Row, measures []string) string {
	heads, body := grid(rows, measures)
	var names, rules []string
	for i, h := range heads {
		names = append(names, strings.Join(h, " "))
		rules = append(rules, map[bool]string{true: "---", false: "--:"}[i < texts])
	}
	var text strings.Builder
	for _, line := range append([][]string{names, rules}, body...) {
		if line != nil {
			text.WriteString("| " + strings.Join(line, " | ") + " |\n")
		}
	}
	return text.String()
}

// texts are the columns before those of numbers.
const texts = 2

// grid is the cells of a table: the words over each column, and the lines below; nil
// between two cases, where there are several engines to compare.
func grid(rows []Row, measures []string) (heads, body [][]string) {
	heads = [][]string{{"case"}, {"engine"}, {"services"}}
	for _, m := range measures {
		heads = append(heads, heading(m))
	}
	cases := places(rows)
	for i, p := range cases {
		if i > 0 && len(rows) > len(cases) {
			body = append(body, nil)
		}
		for _, r := range at(rows, p) {
			line := []string{r.Case, r.who(), strconv.Itoa(r.Services)}
			for _, m := range measures {
				line = append(line, cell(r, m))
			}
			body = append(body, line)
		}
	}
	return heads, body
}

// stacked puts the words of each head under each other, on the ground.
func stacked(heads [][]string) [][]string {
	high := 0
	for _, h := range heads {
		high = max(high, len(h))
	}
	var lines [][]string
	for i := range high {
		var line []string
		for _, h := range heads {
			word := ""
			if at := i - (high - len(h)); at >= 0 {
				word = h[at]
			}
			line = append(line, word)
		}
		lines = append(lines, line)
	}
	return lines
}

// aligned puts texts to the left and numbers to the right.
func aligned(line []string, widths []int) string {
	var cells []string
	for i, text := range line {
		width := widths[i]
		if i < texts {
			width = -width
		}
		cells = append(cells, fmt.Sprintf("%*s", width, text))
	}
	return strings.Join(cells, "  ")
}
