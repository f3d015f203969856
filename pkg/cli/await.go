package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/progress"
)

// await follows a rollout, and shows on stderr how it goes, until it has ended one way or the
// other, and prints what became of it.
func (s *session) await(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment, timeout time.Duration, format *format) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	view := s.view()
	end, err := deploy.Follow(ctx, cluster.Spock, env.Namespace, env.Name, env.Generation, view.show)
	view.close()
	if err != nil {
		return stopped(err, env, timeout)
	}
	done, err := format.environment(s.Streams.Out, end)
	if err != nil {
		return err
	}
	if !done {
		s.conclude(end, view.elapsed())
	}
	if end.Status.Phase != v1alpha1.PhaseReady {
		return fmt.Errorf("environment %s/%s is not ready; more with: spock env why %s -n %s", end.Namespace, end.Name, end.Name, end.Namespace)
	}
	return nil
}

// conclude prints what became of the services, or why there is none.
func (s *session) conclude(end *v1alpha1.Environment, elapsed time.Duration) {
	lines := progress.Table(end, elapsed)
	if refused(end) || len(end.Status.Services) == 0 {
		lines = s.why(end)
	}
	for _, line := range lines {
		fmt.Fprintln(s.Streams.Out, s.outPaint().line(line))
	}
}

// stopped says why the watching ended before the rollout did.
func stopped(err error, env *v1alpha1.Environment, timeout time.Duration) error {
	next := fmt.Sprintf("see: spock env why %s -n %s", env.Name, env.Namespace)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{ExitTimeout, fmt.Errorf("the time is up after %s: %s; %s", timeout, plainly(err, context.DeadlineExceeded), next)}
	case errors.Is(err, context.Canceled):
		return &failure{ExitInterrupted, fmt.Errorf("interrupted: %s; %s", plainly(err, context.Canceled), next)}
	}
	return explain(err)
}

// plainly is the sentence of an error without the name that Go has for its cause.
func plainly(err, cause error) string {
	return strings.TrimSuffix(err.Error(), ": "+cause.Error())
}
