package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"

	"spock.dev/spock/pkg/task/cancel"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func cancelCommand() *cobra.Command {
	t := step.Step{Name: "cancel", Texts: []string{"runs"}}
	var namespace, run, selector string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "cancel",
		Short: "Cancel older PipelineRuns and wait until they have ended",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.Run(func(results result.Writer, _ *record.Record) error {
				config, err := cluster()
				if err != nil {
					return err
				}
				client, err := tekton.NewForConfig(config)
				if err != nil {
					return fmt.Errorf("make a client: %w", err)
				}
				ctx, stop := limited(cmd.Context(), timeout)
				defer stop()
				names, err := cancel.Before(ctx, client, namespace, run, selector)
				if written := results.Texts(map[string]string{"runs": strings.Join(names, ",")}); written != nil {
					return written
				}
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%d older runs cancelled: %s\n", len(names), strings.Join(names, ", "))
				}
				return err
			})
		},
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&namespace, "namespace", "", "namespace of the runs")
	f.StringVar(&run, "run", "", "name of the PipelineRun that the others are older than")
	f.StringVar(&selector, "selector", "", "labels of the runs to cancel")
	f.DurationVar(&timeout, "timeout", 5*time.Minute, "how long to wait for their end")
	return cmd
}
