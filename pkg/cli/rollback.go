package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/nearest"
)

const rollbackLong = `Bring back what an earlier run of an environment wrote, as it was written, whatever became
of product and templates since: all of it, or the SERVICES named. Without --to it is the
last run that ended Ready and wrote something else than what is there now. The next deploy
ends it. What a migration did to data is not undone.`

// retreat is what the flags of `env rollback` ask for.
type retreat struct {
	to      string
	wait    bool
	timeout time.Duration
}

func newRollback(s *session) *cobra.Command {
	w := &retreat{}
	cmd := &cobra.Command{
		Use:               "rollback NAME [SERVICE...]",
		Aliases:           []string{"undo"},
		Short:             "Bring back what an earlier run of an environment wrote",
		Long:              rollbackLong,
		Example:           examples(`spock env rollback shop`, `spock env rollback shop orders`, `spock env rollback shop --to shop-3`),
		Args:              positional(1, 1000, "the NAME of an environment and of SERVICES"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML, asName)
	cmd.Flags().StringVar(&w.to, "to", "", "the run to go back to; see: spock env history NAME")
	cmd.Flags().BoolVar(&w.wait, "wait", true, "follow until it is ready or failed")
	cmd.Flags().DurationVar(&w.timeout, "timeout", 15*time.Minute, "how long to follow")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return s.rollback(cmd.Context(), cluster, env, args[1:], w, format)
	})
	return cmd
}

func (s *session) rollback(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment, services []string, w *retreat, format *format) error {
	runs, err := cluster.runsOf(ctx, env)
	if err != nil {
		return err
	}
	to, err := goal(env, runs, w.to)
	if err != nil {
		return err
	}
	for _, name := range services {
		if !slices.Contains(servicesOf(to), name) {
			return fmt.Errorf("run %s had no service %s; %s", to.Name, name, nearest.Hint(name, servicesOf(to), "it had none"))
		}
	}
	request := v1alpha1.RollbackRequest{To: to.Name, Services: services}
	stored, err := deploy.RollBack(ctx, cluster.Spock, env, request, "rollback-"+s.Clock.Now().UTC().Format("20060102-150405"))
	if err != nil {
		return explain(err)
	}
	if w.wait {
		return s.await(ctx, cluster, stored, w.timeout, format)
	}
	if done, err := format.environment(s.Streams.Out, stored); done {
		return err
	}
	_, err = fmt.Fprintf(s.Streams.Out, "environment %s/%s is asked to go back to run %s; look at it with: spock env show %s -n %s\n",
		stored.Namespace, stored.Name, to.Name, stored.Name, stored.Namespace)
	return err
}

// goal is the run to go back to: the one named, or the newest that ended Ready and is not
// what was written last.
func goal(env *v1alpha1.Environment, runs []v1alpha1.EnvironmentRun, name string) (*v1alpha1.EnvironmentRun, error) {
	see := fmt.Sprintf("see: spock env history %s -n %s", env.Name, env.Namespace)
	var known []string
	for i := range runs {
		r := &runs[i]
		known = append(known, r.Name)
		good := r.Done() && r.Status.Phase == v1alpha1.PhaseReady
		switch {
		case name == "" && good && r.Spec.PlanDigest != runs[0].Spec.PlanDigest:
			return r, nil
		case name == r.Name && !good:
			return nil, fmt.Errorf("run %s did not end Ready, so there is nothing to go back to; %s", name, see)
		case name == r.Name:
			return r, nil
		}
	}
	if name != "" {
		return nil, fmt.Errorf("environment %s/%s has no run %s; %s", env.Namespace, env.Name, name, nearest.Hint(name, known, see))
	}
	return nil, fmt.Errorf("environment %s/%s has no earlier run that ended Ready and wrote something else; %s", env.Namespace, env.Name, see)
}

// servicesOf are the services of a run: the nodes that are no hook and no join.
func servicesOf(run *v1alpha1.EnvironmentRun) []string {
	var all []string
	for _, n := range run.Spec.Nodes {
		if !strings.ContainsAny(n.Name, "/:") {
			all = append(all, n.Name)
		}
	}
	return all
}
