package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/summary"
)

func summaryCommand() *cobra.Command {
	var workspace, directory string
	cmd := &cobra.Command{
		Use:   "summary [flags] -- TASK=STATE...",
		Short: "Tell what the tasks of a pipeline did",
		RunE: func(cmd *cobra.Command, entries []string) error {
			statuses, err := summary.ParseStatus(entries)
			if err != nil {
				return err
			}
			records, err := record.Read(workspace)
			if err != nil {
				return err
			}
			for _, line := range summary.Lines(statuses, records) {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			return result.Writer{Directory: directory}.Text("summary", summary.Sentence(statuses, records))
		},
	}
	cmd.Flags().StringVar(&workspace, "workspace", "", "root of the shared workspace with the records of the tasks")
	cmd.Flags().StringVar(&directory, "results", result.Directory, "directory of the result files")
	return cmd
}
