package cli

import (
	"fmt"
	"io"
	"strings"
)

// Codes of terminals: some lines up, and all from there to the end goes.
const (
	linesUp = "\x1b[%dA"
	toEnd   = "\r\x1b[J"
)

// board are lines at the end of a screen that are drawn over and over, under those that stay.
type board struct {
	out    io.Writer
	screen Screen
	paint  paint
	// drawn are the widths of the lines that stand there.
	drawn []int
}

// draw puts lines that stay above the board, and these on it, each cut to the screen's width.
// All goes out at once, so that nothing flickers.
func (b *board) draw(stay, lines []string) {
	width, _ := b.screen()
	var out strings.Builder
	out.WriteString(b.back(width))
	for _, line := range stay {
		out.WriteString(b.paint.line(line) + "\n")
	}
	for _, line := range lines {
		line = cut(line, width-1)
		out.WriteString(b.paint.line(line) + "\n")
		b.drawn = append(b.drawn, len([]rune(line)))
	}
	// What cannot be shown is no reason to stop.
	_, _ = io.WriteString(b.out, out.String())
}

// back is what leads to the board's first line and clears it. A line takes more than one
// when the screen has become narrower since.
func (b *board) back(width int) string {
	rows := 0
	for _, n := range b.drawn {
		rows += 1 + max(0, n-1)/max(1, width)
	}
	b.drawn = b.drawn[:0]
	if rows == 0 {
		return ""
	}
	return fmt.Sprintf(linesUp, rows) + toEnd
}

// cut shortens a line to so many characters.
func cut(line string, most int) string {
	text := []rune(line)
	if len(text) <= most {
		return line
	}
	return string(text[:max(0, most-1)]) + "…"
}
