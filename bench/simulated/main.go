// Command simulated stands in for the local cluster where no node can boot: a real control
// plane, real Tekton controllers and Spock's own as plain processes of this user, and a
// fake kubelet. It has the state folder of the local cluster, and what it writes there says
// that it is simulated.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = `usage: simulated COMMAND [-state DIR] [-root DIR]

  up    start it, or check that it is up
  down  end it
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "simulated:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command string, args []string) error {
	flags := flag.NewFlagSet("simulated "+command, flag.ExitOnError)
	dir := flags.String("state", "../.cluster", "folder of its state")
	root := flags.String("root", "..", "the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q\n%s", flags.Arg(0), usage)
	}
	where, err := filepath.Abs(*dir)
	if err != nil {
		return fmt.Errorf("find the state folder: %w", err)
	}
	repository, err := filepath.Abs(*root)
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	s := state(where)
	switch command {
	case "up":
		return up(ctx, s, repository)
	case "down":
		return down(s)
	case serveCommand:
		return serve(ctx, s, repository)
	}
	return fmt.Errorf("unknown command %q\n%s", command, usage)
}
