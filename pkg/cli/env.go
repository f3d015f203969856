package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

func newEnv(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "env",
		Aliases: []string{"environment", "environments"},
		Short:   "Bring environments up, look at them, take them down",
		Example: examples(`spock env ls -A`, `spock env show shop`),
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newList(s), newShow(s), newUp(s), newDown(s), newWhy(s), newLogs(s), newExec(s), newOpen(s), newPlan(s), newHistory(s), newExplain(s), newRollback(s))
	return cmd
}

// environment connects to the cluster and reads the Environment that a command is about.
func (s *session) environment(ctx context.Context, name string) (*Cluster, *v1alpha1.Environment, error) {
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, nil, err
	}
	env, err := cluster.environment(ctx, name)
	return cluster, env, err
}

// environment reads an Environment; the error of a missing one says which there are.
func (c *Cluster) environment(ctx context.Context, name string) (*v1alpha1.Environment, error) {
	environments := c.Spock.SpockV1alpha1().Environments(c.Namespace)
	env, err := environments.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return env, nil
	}
	if !apierrors.IsNotFound(err) || notInstalled(err) {
		return nil, explain(fmt.Errorf("get environment %s/%s: %w", c.Namespace, name, err))
	}
	hint := "list all with: spock env ls -A"
	if all, err := environments.List(ctx, metav1.ListOptions{}); err == nil && len(all.Items) > 0 {
		hint = nearest.Hint(name, names(all.Items), "")
	}
	return nil, fmt.Errorf("there is no environment %s in namespace %s; %s", name, c.Namespace, hint)
}

func names(environments []v1alpha1.Environment) []string {
	var out []string
	for i := range environments {
		out = append(out, environments[i].Name)
	}
	return out
}

// notInstalled says whether the cluster does not know Spock's kinds at all.
func notInstalled(err error) bool {
	return apierrors.IsNotFound(err) && strings.Contains(err.Error(), "the server could not find the requested resource")
}

// explain adds the next step to errors that a person meets at the start.
func explain(err error) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case notInstalled(err):
		return fmt.Errorf("%w; Spock is not installed in this cluster: install it, or choose another cluster with --context", err)
	case !errors.As(err, &status) && strings.Contains(err.Error(), "connection refused"):
		return fmt.Errorf("%w; no cluster answers there: start it, or choose another with --kubeconfig or --context", err)
	}
	return err
}

// completeEnvironment offers the names of environments to the shell.
func (s *session) completeEnvironment(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := cluster.Spock.SpockV1alpha1().Environments(cluster.Namespace).List(cmd.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names(all.Items), cobra.ShellCompDirectiveNoFileComp
}
