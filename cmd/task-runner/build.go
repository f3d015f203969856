package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/gobuild"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

// resultBudget is what fits into a termination message beside Tekton's own words.
const resultBudget = 3500

func buildCommand() *cobra.Command {
	t := step.Step{Name: "build", Texts: []string{"IMAGES", "CHAINS-GIT_URL", "CHAINS-GIT_COMMIT"}, Arrays: []string{"services"}}
	var request gobuild.Request
	var registry gobuild.Registry
	var tools goTools
	var dockerConfig, sourceURL, sourceCommit string
	cmd := &cobra.Command{
		Use:   "build [flags] -- PACKAGE...",
		Short: "Build the main packages of a Go module into images and push them",
		RunE: func(cmd *cobra.Command, packages []string) error {
			request.Packages = packages
			return t.Run(func(results result.Writer, r *record.Record) error {
				if err := results.Texts(map[string]string{"CHAINS-GIT_URL": sourceURL, "CHAINS-GIT_COMMIT": sourceCommit}); err != nil {
					return err
				}
				if dockerConfig != "" {
					if err := os.Setenv("DOCKER_CONFIG", dockerConfig); err != nil {
						return fmt.Errorf("use the dockerconfig workspace: %w", err)
					}
				}
				toolchain, err := tools.toolchain(cmd, &t)
				if err != nil {
					return err
				}
				images, err := gobuild.Run(cmd.Context(), toolchain, registry, request)
				if err != nil {
					return err
				}
				return built(cmd, results, r, images)
			})
		},
	}
	t.Flags(cmd)
	t.Limit(cmd)
	tools.register(cmd)
	f := cmd.Flags()
	f.StringVar(&request.Repository, "repository", "", "prefix of the images: REPOSITORY/NAME:TAG")
	f.StringVar(&request.Tag, "tag", "latest", "tag of the images")
	f.StringVar(&request.Base, "base-image", "", "base image; that of .ko.yaml when empty")
	f.StringVar(&request.Platform, "platform", "", "os/architecture; Linux on this machine's architecture when empty")
	f.StringVar(&sourceURL, "source-url", "", "repository the sources come from")
	f.StringVar(&sourceCommit, "source-commit", "", "commit the sources are at")
	f.BoolVar(&registry.Insecure, "insecure-registry", false, "allow plain HTTP to the registries")
	f.StringVar(&dockerConfig, "docker-config", "", "directory with a config.json that holds registry credentials")
	return cmd
}

func built(cmd *cobra.Command, results result.Writer, r *record.Record, images []gobuild.Image) error {
	var references []string
	for _, image := range images {
		references = append(references, image.Reference)
		r.Images = append(r.Images, image.Service+"="+image.Reference)
	}
	hint, services := strings.Join(references, ","), strings.Join(r.Images, `","`)
	if len(hint)+len(services) > resultBudget {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %d images make results of more than %d bytes, which fit into a TaskRun only with Tekton's `results-from: sidecar-logs`\n", len(images), resultBudget)
	}
	if err := results.Text("IMAGES", hint); err != nil {
		return err
	}
	return results.Array("services", r.Images)
}
