package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/nearest"
)

// Exit codes. Scripts rely on them.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitTimeout     = 4
	ExitInterrupted = 130
	// ExitChanges is what `env plan --exit-code` ends with when there is something to do.
	ExitChanges = 2
)

// failure is an error that knows its exit code. A nil err has nothing to say any more.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usage marks an error of who typed the command.
func usage(format string, args ...any) error {
	return &failure{ExitUsage, fmt.Errorf(format, args...)}
}

// ran marks what a command returns after its flags were understood: anything that has
// no code of its own is a plain failure, and not one of usage.
func ran(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		var coded *failure
		if err == nil || errors.As(err, &coded) {
			return err
		}
		return &failure{codeOf(err), err}
	}
}

func codeOf(err error) int {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}

// report prints an error and returns the exit code. What no command has marked comes from
// the parsing of the command line.
func report(out io.Writer, cmd *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	code := ExitUsage
	var coded *failure
	if errors.As(err, &coded) {
		code, err = coded.code, coded.err
	}
	if err == nil {
		return code
	}
	fmt.Fprintln(out, err)
	if code == ExitUsage {
		fmt.Fprintf(out, "See: %s --help\n", cmd.CommandPath())
	}
	return code
}

// knownCommand refuses a word that is no subcommand and names the one that was meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("%s: there is no command %q; %s", cmd.CommandPath(), args[0], nearest.Hint(args[0], names, ""))
}

// positional takes between least and most arguments; most below 0 is no bound.
func positional(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s: %s is missing", cmd.CommandPath(), what)
		case most >= 0 && len(args) > most:
			return fmt.Errorf("%s: %s is too much; it takes %s", cmd.CommandPath(), strings.Join(args[most:], " "), what)
		}
		return nil
	}
}
