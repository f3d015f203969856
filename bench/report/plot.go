package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// overhead is what the picture shows.
const overhead = "overhead_s"

// Geometry of the picture, in its own units.
const (
	width  = 960.0
	left   = 180.0 // of the scale; the names of the cases stand before it
	right  = 850.0 // of the scale; Spock's numbers stand after it
	step   = 24.0  // from case to case
	legend = 175.0 // width of an entry
)

// colours of the engines, Spock's first; they can be told apart by who sees no red.
var colours = []string{"#0969da", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#6e40c9", "#57606a", "#a40e26", "#2da44e"}

// picture is the plot while it is drawn.
type picture struct {
	strings.Builder
	engines []string // each has a colour
	least   float64  // the left end of the scale, a power of ten
	decades float64
}

// Plot draws the time beyond the physical limit of each case and engine on a logarithmic
// scale, as SVG on its own white ground. A hollow mark is an engine that was tuned.
func Plot(w io.Writer, rows []Row) error {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.has(overhead) })
	p := &picture{}
	p.scale(rows)
	who := p.names(rows)
	top := 78 + step*math.Ceil(float64(len(who))/5)
	cases := places(rows)
	height := top + step*float64(len(cases)) + 44
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img"
     font-family="-apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif" font-size="13" fill="#1f2328">
  <title>Time beyond the physical limit, by case and engine</title>
  <rect x="1" y="1" width="%.0f" height="%.0f" rx="14" fill="#ffffff" stroke="#d0d7de"/>
  <text x="24" y="34" font-size="16" font-weight="700">Time beyond the physical limit, in seconds</text>
  <text x="24" y="54" font-size="12" fill="#57606a">further left is better; logarithmic; the nodes are simulated; a hollow mark is an engine that was tuned</text>
`, width, height, width, height, width-2, height-2)
	p.legend(who)
	p.grid(top, top+step*float64(len(cases)))
	for i, at := range cases {
		p.line(rows, at, top+step*(float64(i)+0.5))
	}
	p.WriteString("</svg>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

// scale makes whole powers of ten of what there is. Less than a hundredth of a second is
// not told apart.
func (p *picture) scale(rows []Row) {
	low, high := 1.0, 1.0
	for _, r := range rows {
		low, high = min(low, r.Measures[overhead]), max(high, r.Measures[overhead])
	}
	from := math.Floor(math.Log10(max(low, 0.01)))
	p.least, p.decades = math.Pow(10, from), max(1, math.Ceil(math.Log10(high))-from)
}

func (p *picture) x(seconds float64) float64 {
	return left + (right-left)*math.Log10(max(seconds, p.least)/p.least)/p.decades
}

// names are the engines and modes for the legend; it gives each engine its colour.
func (p *picture) names(rows []Row) []Row {
	p.engines = []string{spock}
	var who []Row
	for _, at := range rows {
		if !slices.Contains(p.engines, at.Engine) {
			p.engines = append(p.engines, at.Engine)
		}
		if !slices.ContainsFunc(who, func(r Row) bool { return r.who() == at.who() }) {
			who = append(who, at)
		}
	}
	slices.SortStableFunc(who, func(a, b Row) int { return slices.Index(p.engines, a.Engine) - slices.Index(p.engines, b.Engine) })
	return who
}

func (p *picture) legend(who []Row) {
	for i, r := range who {
		x, y := 30+legend*float64(i%5), 78+step*float64(i/5)
		p.mark(r, x, y, r.who())
		fmt.Fprintf(p, "  <text x=\"%.1f\" y=\"%.1f\" font-size=\"12\">%s</text>\n", x+12, y+4, html.EscapeString(r.who()))
	}
}

// grid draws the powers of ten.
func (p *picture) grid(top, bottom float64) {
	for d := 0.0; d <= p.decades; d++ {
		value := p.least * math.Pow(10, d)
		x, text := p.x(value), fmt.Sprintf("%g", rounded(value))
		if d == 0 {
			text = "≤ " + text
		}
		fmt.Fprintf(p, "  <path d=\"M%.1f %.1f V%.1f\" stroke=\"#d0d7de\"/>\n", x, top, bottom)
		fmt.Fprintf(p, "  <text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" fill=\"#57606a\" text-anchor=\"middle\">%s</text>\n", x, bottom+20, text)
	}
	fmt.Fprintf(p, "  <text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" fill=\"#57606a\" text-anchor=\"end\">Spock</text>\n", width-24, bottom+20)
}

// line draws a case: its name, its engines, Spock's number.
func (p *picture) line(rows []Row, where place, y float64) {
	here := at(rows, where)
	fmt.Fprintf(p, "  <text x=\"24\" y=\"%.1f\">%s</text>\n", y+4, html.EscapeString(where.String()))
	fmt.Fprintf(p, "  <path d=\"M%.1f %.1f H%.1f\" stroke=\"#eaeef2\"/>\n", left, y, right)
	slices.Reverse(here) // Spock's mark on top
	for _, r := range here {
		p.mark(r, p.x(r.Measures[overhead]), y, fmt.Sprintf("%s, %s: %s s", where, r.who(), cell(r, overhead)))
		if r.Engine == spock {
			fmt.Fprintf(p, "  <text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" font-weight=\"600\" fill=\"%s\">%s</text>\n", width-24, y+4, colours[0], cell(r, overhead))
		}
	}
}

// mark is an engine's, with a text that shows when it is pointed at.
func (p *picture) mark(r Row, x, y float64, text string) {
	colour := colours[slices.Index(p.engines, r.Engine)%len(colours)]
	fill := colour
	if r.who() != r.Engine {
		fill = "#ffffff"
	}
	size := 5.0
	if r.Engine == spock {
		size = 6
	}
	fmt.Fprintf(p, "  <circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.0f\" fill=\"%s\" stroke=\"%s\" stroke-width=\"2\"><title>%s</title></circle>\n", x, y, size, fill, colour, html.EscapeString(text))
}
