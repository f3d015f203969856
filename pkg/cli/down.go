package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/follow"
	"spock.dev/spock/pkg/progress"
)

func newDown(s *session) *cobra.Command {
	var wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "down NAME",
		Aliases: []string{"rm", "delete"},
		Short:   "Take an environment down",
		Long: `Take an environment down: its services stop in the reverse of the order in which they
started, then its namespace goes with all data in it. The command follows until nothing is
left; the teardown goes on when it stops following.`,
		Example:           examples(`spock env down shop`, `spock env down shop --wait=false`),
		Args:              positional(1, 1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	cmd.Flags().BoolVar(&wait, "wait", true, "follow until nothing is left")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return s.down(cmd.Context(), cluster, env, wait, timeout)
	})
	return cmd
}

func (s *session) down(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment, wait bool, timeout time.Duration) error {
	where := env.Namespace + "/" + env.Name
	err := cluster.Spock.SpockV1alpha1().Environments(env.Namespace).Delete(ctx, env.Name,
		metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &env.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete environment %s: %w", where, err)
	}
	if !wait {
		fmt.Fprintf(s.Streams.Out, "environment %s is being torn down\n", where)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := s.Clock.Now()
	last, err := s.untilGone(ctx, cluster, env)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{ExitTimeout, fmt.Errorf("environment %s is not gone after %s: %s; the teardown goes on", where, timeout, last)}
	case errors.Is(err, context.Canceled):
		return &failure{ExitInterrupted, fmt.Errorf("stopped watching environment %s: %s; the teardown goes on", where, last)}
	case err != nil:
		return fmt.Errorf("follow environment %s: %w", where, err)
	}
	fmt.Fprintf(s.Streams.Out, "environment %s is gone after %s\n", where, progress.Seconds(s.Clock.Since(start)))
	return nil
}

// untilGone prints what is left each time it changes, and returns what was left last. A
// namesake made meanwhile is another environment.
func (s *session) untilGone(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment) (string, error) {
	start, last := s.Clock.Now(), "nothing was taken down yet (is Spock's controller running?)"
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, env.Name).String()}
	err := follow.Objects(ctx, cluster.Spock, cluster.Spock.SpockV1alpha1().Environments(env.Namespace), only, &v1alpha1.Environment{}, true,
		func(now *v1alpha1.Environment, gone bool) bool {
			if gone || now.UID != env.UID {
				return true
			}
			if message := now.Status.Message; now.Status.Phase == v1alpha1.PhaseTerminating && message != "" && message != last {
				last = message
				s.progress(fmt.Sprintf("%7s ◎ %s", progress.Seconds(s.Clock.Since(start)), message))
			}
			return false
		})
	return last, err
}

// progress prints lines that say how it goes.
func (s *session) progress(lines ...string) {
	for _, line := range lines {
		fmt.Fprintln(s.Streams.Err, s.errPaint().line(line))
	}
}
