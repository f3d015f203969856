package gotest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// Run starts a command, reads its standard output as a stream of events and writes what
// people want to see of it to the log. The error says that the command could not be run
// or, wrapping *exec.ExitError, that it ended badly; the report is valid in both cases.
func Run(ctx context.Context, cmd *exec.Cmd, log io.Writer) (*Collector, error) {
	collector := &Collector{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return collector, fmt.Errorf("run %s: %w", cmd.Args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return collector, fmt.Errorf("run %s: %w", cmd.Args[0], err)
	}
	reading := read(out, collector, log)
	if err := cmd.Wait(); err != nil {
		return collector, fmt.Errorf("run %s: %w", cmd.Args[0], errors.Join(ctx.Err(), err))
	}
	return collector, reading
}

// read takes lines of any length: a test may print an image on one.
func read(out io.Reader, collector *Collector, log io.Writer) error {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if text := trim(line); len(line) > 0 {
			if _, err := io.WriteString(log, collector.Line(text)); err != nil {
				return fmt.Errorf("write the log: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output: %w", err)
		}
	}
}

func trim(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		return line[:n-1]
	}
	return line
}
