package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/progress"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func teardownCommand() *cobra.Command {
	t := step.Step{Name: "teardown", Texts: []string{"environment", "phase", "message"}}
	var namespace, name string
	var wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "teardown [flags]",
		Short: "Take an environment down and follow until nothing is left",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.Run(func(results result.Writer, r *record.Record) error {
				r.Environment = namespace + "/" + name
				client, err := connect()
				if err != nil {
					return err
				}
				ctx, cancel := limited(cmd.Context(), timeout)
				defer cancel()
				phase, message, err := teardown(ctx, cmd, client, namespace, name, wait)
				r.Phase = phase
				if written := results.Texts(map[string]string{"environment": name, "phase": phase, "message": message}); written != nil {
					return written
				}
				return err
			})
		},
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&namespace, "namespace", "", "namespace of the environment")
	f.StringVar(&name, "environment", "", "name of the environment")
	f.DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow the teardown; 0 follows without end")
	f.BoolVar(&wait, "wait", true, "follow until nothing is left")
	return cmd
}

func limited(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout > 0 {
		return context.WithTimeout(ctx, timeout)
	}
	return context.WithCancel(ctx)
}

// teardown returns the phase that is told, Gone or Terminating, and the last message.
func teardown(ctx context.Context, cmd *cobra.Command, client versioned.Interface, namespace, name string, wait bool) (string, string, error) {
	began, where := time.Now(), namespace+"/"+name
	say := func(format string, args ...any) { fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...) }
	removed, err := deploy.Remove(ctx, client, namespace, name)
	if err != nil {
		return "", err.Error(), err
	}
	if removed == nil {
		say("there is no environment %s", where)
		return "Gone", "there was no environment " + name, nil
	}
	say("environment %s: product %s, class %s is being torn down", where, removed.Spec.Product, removed.Spec.Class)
	if !wait {
		return string(v1alpha1.PhaseTerminating), "the teardown goes on", nil
	}
	last := "nothing was taken down yet (is Spock's controller running?)"
	err = deploy.FollowGone(ctx, client, removed, func(e *v1alpha1.Environment) {
		if e.Status.Phase == v1alpha1.PhaseTerminating && e.Status.Message != "" && e.Status.Message != last {
			last = e.Status.Message
			say("%7s ◎ %s", progress.Seconds(time.Since(began)), last)
		}
	})
	if err != nil {
		return string(v1alpha1.PhaseTerminating), last, err
	}
	say("environment %s is gone after %s", where, progress.Seconds(time.Since(began)))
	return "Gone", "environment " + name + " is gone", nil
}
