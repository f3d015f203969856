// Command image-builder is the program behind the Task build-dockerfile. It is apart from
// task-runner because its image holds another tool: buildah.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/dockerfile"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := command()
	// A step has one log; two streams would be merged out of order.
	cmd.SetErr(os.Stdout)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stdout, "error:", err)
		os.Exit(1)
	}
}

// origin is what is handed on for provenance.
type origin struct{ url, commit string }

func command() *cobra.Command {
	t := step.Step{Name: "build", Texts: []string{"IMAGES", "CHAINS-GIT_URL", "CHAINS-GIT_COMMIT"}, Arrays: []string{"services"}}
	var request dockerfile.Request
	var from origin
	var subdirectory, dockerConfig string
	builder := dockerfile.Builder{Program: "buildah"}
	cmd := &cobra.Command{
		Use:   "image-builder [flags] -- NAME=VALUE...",
		Short: "Build an image as a Dockerfile says and push it",
		RunE: func(cmd *cobra.Command, arguments []string) error {
			request.Arguments, builder.Log = arguments, cmd.ErrOrStderr()
			return t.Run(func(results result.Writer, r *record.Record) error {
				var err error
				if request.Source, err = t.Source(subdirectory); err != nil {
					return err
				}
				return build(cmd, builder, request, from, dockerConfig, results, r)
			})
		},
		SilenceUsage: true, SilenceErrors: true,
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&subdirectory, "subdirectory", "", "directory of the sources below the workspace")
	f.StringVar(&request.Context, "context", "", "directory that COPY reads from, below the sources")
	f.StringVar(&request.File, "dockerfile", "Dockerfile", "the Dockerfile, below the sources")
	f.StringVar(&request.Target, "target", "", "stage to build; the last when empty")
	f.StringVar(&request.Image, "image", "", "where the image goes, without a tag")
	f.StringVar(&request.Tag, "tag", "latest", "tag of the image")
	f.StringVar(&request.Service, "service", "", "service that runs it; the last element of --image when empty")
	f.StringVar(&request.Cache, "cache", "", "repository of layers to use again; none when empty")
	f.Int64Var(&request.Created, "created", 0, "when image and files were made, in seconds since 1970")
	f.BoolVar(&request.Insecure, "insecure-registry", false, "allow plain HTTP to the registries")
	f.StringVar(&dockerConfig, "docker-config", "", "directory with a config.json that holds registry credentials")
	f.StringVar(&builder.Storage, "storage", "", "empty directory for layers")
	f.StringVar(&from.url, "source-url", "", "repository the sources come from")
	f.StringVar(&from.commit, "source-commit", "", "commit the sources are at")
	return cmd
}

func build(cmd *cobra.Command, builder dockerfile.Builder, request dockerfile.Request, from origin, dockerConfig string, results result.Writer, r *record.Record) error {
	if err := results.Texts(map[string]string{"CHAINS-GIT_URL": from.url, "CHAINS-GIT_COMMIT": from.commit}); err != nil {
		return err
	}
	if dockerConfig != "" {
		if err := os.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dockerConfig, "config.json")); err != nil {
			return fmt.Errorf("use the dockerconfig workspace: %w", err)
		}
	}
	image, err := builder.Run(cmd.Context(), request)
	if err != nil {
		return err
	}
	r.Images = []string{image.Service + "=" + image.Reference}
	fmt.Fprintln(cmd.OutOrStdout(), "pushed", r.Images[0])
	if err := results.Text("IMAGES", image.Reference); err != nil {
		return err
	}
	return results.Array("services", r.Images)
}
