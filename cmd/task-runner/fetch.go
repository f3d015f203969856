package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
	"spock.dev/spock/pkg/worktree"
)

func fetchCommand() *cobra.Command {
	t := step.Step{Name: "fetch", Texts: []string{"commit", "url", "revision"}}
	var source, dockerConfig string
	var registry worktree.Registry
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Unpack a working tree from a registry into the workspace",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.Run(func(results result.Writer, r *record.Record) error {
				if dockerConfig != "" {
					if err := os.Setenv("DOCKER_CONFIG", dockerConfig); err != nil {
						return fmt.Errorf("use the dockerconfig workspace: %w", err)
					}
				}
				image, err := registry.Pull(cmd.Context(), source)
				if err != nil {
					return err
				}
				origin, err := worktree.Unpack(image, t.Workspace)
				if err != nil {
					return err
				}
				revision, err := origin.Revision(source)
				if err != nil {
					return err
				}
				if origin.Dirty {
					origin.Commit = ""
				}
				r.Commit, r.Repository = revision, origin.Remote
				fmt.Fprintf(cmd.OutOrStdout(), "tree %s of %s\n", revision, source)
				return results.Texts(map[string]string{"commit": origin.Commit, "url": origin.Remote, "revision": revision})
			})
		},
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&source, "source", "", "reference of the tree, by digest")
	f.BoolVar(&registry.Insecure, "insecure-registry", false, "allow plain HTTP to the registry")
	f.StringVar(&dockerConfig, "docker-config", "", "directory with a config.json of credentials")
	return cmd
}
