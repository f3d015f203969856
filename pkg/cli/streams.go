package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are where a command reads and prints.
type Streams struct {
	In io.Reader
	// Out gets the answer, Err how it goes and what went wrong.
	Out, Err io.Writer
	// ColorOut and ColorErr say whether they can show colours.
	ColorOut, ColorErr bool
}

// StandardStreams are those of the process. Colours are for terminals, unless NO_COLOR
// is set or the terminal is dumb.
func StandardStreams() Streams {
	wanted := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		ColorOut: wanted && term.IsTerminal(int(os.Stdout.Fd())),
		ColorErr: wanted && term.IsTerminal(int(os.Stderr.Fd())),
	}
}

func (s *session) outPaint() paint { return paint(s.Streams.ColorOut && !s.noColor) }
func (s *session) errPaint() paint { return paint(s.Streams.ColorErr && !s.noColor) }
