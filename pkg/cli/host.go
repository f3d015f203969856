package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/target/host"
)

// Machines are machines as they are reached from where the program runs.
type Machines interface {
	// Key is the public key that a machine shows.
	Key(ctx context.Context, address string) (string, error)
	// Facts logs in and asks the machine what it is.
	Facts(ctx context.Context, login host.Login) (host.Facts, error)
	// Logs hands over what a service on a machine has printed, line by line.
	Logs(ctx context.Context, login host.Login, want host.LogRequest, line func(string)) error
	// Exec runs a command as a service on a machine runs, and returns its exit code.
	Exec(ctx context.Context, login host.Login, want host.ExecRequest) (int, error)
}

// overSSH reaches machines itself.
type overSSH struct{}

func (overSSH) Key(ctx context.Context, address string) (string, error) {
	return host.KeyOf(ctx, address)
}

func (overSSH) Facts(ctx context.Context, login host.Login) (host.Facts, error) {
	conn, err := host.Dial(ctx, login)
	if err != nil {
		return host.Facts{}, err
	}
	defer conn.Close()
	return conn.Facts(ctx)
}

func (overSSH) Logs(ctx context.Context, login host.Login, want host.LogRequest, line func(string)) error {
	conn, err := host.Dial(ctx, login)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Logs(ctx, want, line)
}

func (overSSH) Exec(ctx context.Context, login host.Login, want host.ExecRequest) (int, error) {
	conn, err := host.Dial(ctx, login)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.Exec(ctx, want)
}

func newHost(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "host",
		Aliases: []string{"hosts"},
		Short:   "Add machines to run services on, and look at them",
		Example: examples(`spock host add db1 --address 10.0.0.11 --key ~/.ssh/spock`, `spock host ls`, `spock host check db1`),
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newHostAdd(s), newHostList(s), newHostShow(s), newHostCheck(s), newHostDrain(s))
	return cmd
}

// host connects to the cluster and reads the Host that a command is about.
func (s *session) host(ctx context.Context, name string) (*Cluster, *v1alpha1.Host, error) {
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, nil, err
	}
	hosts := cluster.Spock.SpockV1alpha1().Hosts(cluster.Namespace)
	h, err := hosts.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return cluster, h, nil
	}
	if !apierrors.IsNotFound(err) || notInstalled(err) {
		return nil, nil, explain(fmt.Errorf("get host %s/%s: %w", cluster.Namespace, name, err))
	}
	hint := "add it with: spock host add " + name + " --address ADDRESS --key FILE"
	if all, err := hosts.List(ctx, metav1.ListOptions{}); err == nil && len(all.Items) > 0 {
		var names []string
		for i := range all.Items {
			names = append(names, all.Items[i].Name)
		}
		hint = nearest.Hint(name, names, "")
	}
	return nil, nil, fmt.Errorf("there is no host %s in namespace %s; %s", name, cluster.Namespace, hint)
}

// completeHost offers the names of hosts to the shell.
func (s *session) completeHost(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := cluster.Spock.SpockV1alpha1().Hosts(cluster.Namespace).List(cmd.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for i := range all.Items {
		names = append(names, all.Items[i].Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
