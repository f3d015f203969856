package cli

import (
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// paint colours words, or leaves them alone when it is false.
type paint bool

// The colours as terminals number them. All are as long as each other, so that a painted
// column of a table stays straight.
const (
	plainColor = "\x1b[39m"
	red        = "\x1b[31m"
	green      = "\x1b[32m"
	yellow     = "\x1b[33m"
	blue       = "\x1b[34m"
	magenta    = "\x1b[35m"
	cyan       = "\x1b[36m"
	colorEnd   = "\x1b[0m"
)

func (p paint) in(color, text string) string {
	if !p {
		return text
	}
	return color + text + colorEnd
}

// word paints the name of a phase, a state or a change.
func (p paint) word(text string) string { return p.in(colorOf(text), text) }

func colorOf(word string) string {
	switch word {
	case string(v1alpha1.PhaseReady), created:
		return green
	case string(v1alpha1.PhaseFailed), string(v1alpha1.ServiceBlocked), deleted, foreign:
		return red
	case string(v1alpha1.PhaseProgressing), changed:
		return yellow
	case string(v1alpha1.PhaseSuspended), string(v1alpha1.PhaseTerminating):
		return magenta
	}
	return plainColor
}

// line paints the mark of a line of progress.
func (p paint) line(text string) string {
	if !p {
		return text
	}
	for mark, color := range map[string]string{"✔": green, "✘": red, "⊘": red, "▷": yellow, "▶": blue, "◎": cyan} {
		// The mark stands first, or after the clock; it is no part of a log line.
		if before, after, found := strings.Cut(text, mark); found && len(strings.Fields(before)) <= 1 {
			return before + p.in(color, mark) + after
		}
	}
	return text
}
