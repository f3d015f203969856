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
	// Screen is the terminal behind Err; nil when there is none that lines can be drawn over on.
	Screen Screen
}

// Screen is a terminal; it says how many columns and lines it has now.
type Screen func() (width, height int)

// StandardStreams are those of the process. Colours are for terminals, unless NO_COLOR
// is set or the terminal is dumb.
func StandardStreams() Streams {
	dumb := os.Getenv("TERM") == "dumb"
	wanted := os.Getenv("NO_COLOR") == "" && !dumb
	streams := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		ColorOut: wanted && term.IsTerminal(int(os.Stdout.Fd())),
		ColorErr: wanted && term.IsTerminal(int(os.Stderr.Fd())),
	}
	if !dumb && term.IsTerminal(int(os.Stderr.Fd())) {
		streams.Screen = func() (width, height int) {
			width, height, _ = term.GetSize(int(os.Stderr.Fd())) // without a size it is too small
			return width, height
		}
	}
	return streams
}

func (s *session) outPaint() paint { return paint(s.Streams.ColorOut && !s.noColor) }
func (s *session) errPaint() paint { return paint(s.Streams.ColorErr && !s.noColor) }
