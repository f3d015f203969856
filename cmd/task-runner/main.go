// Command task-runner is the program behind Spock's Tekton Tasks: each Task's step is one
// of its subcommands. It reads flags, calls the room of the idea, and writes results.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := root()
	// A step has one log; two streams would be merged out of order.
	cmd.SetErr(os.Stdout)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stdout, "error:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "task-runner",
		Short:         "Run a step of one of Spock's Tasks",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(cloneCommand(), fetchCommand(), buildCommand(), unitTestCommand(), deployCommand(), integrationTestCommand(), summaryCommand())
	cmd.AddCommand(cancelCommand(), teardownCommand(), githubCommand(), jiraCommand(), installCommand())
	return cmd
}
