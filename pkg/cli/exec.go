package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target/host"
)

// execution is what `env exec` asks for.
type execution struct {
	container       string
	stdin, terminal bool
	command         []string
}

func newExec(s *session) *cobra.Command {
	x := &execution{}
	cmd := &cobra.Command{
		Use:   "exec NAME SERVICE -- COMMAND...",
		Short: "Run a command in a service, in its pod or on its machine",
		Long: `Run a command in a service of an environment: in a pod of it that is ready, or on its machine,
in the root of the service, as its user and with its variables. The exit code is that of the
command. A machine is reached over SSH, with the key in its Host's Secret, which you must be
allowed to read; in a pod you need the right to create pods/exec.`,
		Example:           examples(`spock env exec shop orders -- env`, `spock env exec shop postgres -it -- psql -U shop`),
		Args:              positional(3, -1, "the NAME of an environment, a SERVICE, and a COMMAND after --"),
		ValidArgsFunction: s.completeEnvironment,
	}
	cmd.Flags().StringVarP(&x.container, "container", "c", "", "container of the pod; the first when empty")
	cmd.Flags().BoolVarP(&x.stdin, "stdin", "i", false, "give the command what is typed or piped in")
	cmd.Flags().BoolVarP(&x.terminal, "tty", "t", false, "give the command a terminal")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		if cmd.ArgsLenAtDash() != 2 {
			return usage("spock env exec: write the command after --, for example: spock env exec shop orders -- env")
		}
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if env.Status.Service(args[1]) == nil {
			return noService(env, args[1])
		}
		x.command = args[2:]
		return s.exec(cmd.Context(), cluster, env, args[1], x)
	})
	return cmd
}

// exec runs the command where the service runs.
func (s *session) exec(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment, service string, x *execution) error {
	restore, terminal, err := s.raw(x)
	if err != nil {
		return err
	}
	defer restore()
	var in io.Reader
	if x.stdin {
		in = s.Streams.In
	}
	pods, err := cluster.Kube.CoreV1().Pods(scaffold.NamespaceOf(env)).List(ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelService + "=" + service})
	if err != nil {
		return explain(fmt.Errorf("list the pods of service %s: %w", service, err))
	}
	code := 0
	if pod := readyPod(pods.Items); pod != nil {
		code, err = cluster.Exec(ctx, pod, PodCommand{x.container, x.command, in, s.Streams.Out, s.Streams.Err, terminal})
	} else {
		code, err = s.onMachine(ctx, cluster, env, service, host.ExecRequest{Command: x.command, Stdin: in, Stdout: s.Streams.Out, Stderr: s.Streams.Err, Terminal: terminal})
	}
	if err == nil && code != 0 {
		return &failure{code, nil}
	}
	return err
}

// onMachine runs the command on the machine that the service is on.
func (s *session) onMachine(ctx context.Context, cluster *Cluster, env *v1alpha1.Environment, service string, want host.ExecRequest) (int, error) {
	u := &units{machines: s.Machines, cluster: cluster, env: env, services: []string{service}}
	hosts, err := u.list(ctx)
	if err != nil {
		return 0, explain(fmt.Errorf("list the hosts of namespace %s: %w", env.Namespace, err))
	}
	for i := range hosts {
		if len(u.on(&hosts[i])) == 0 {
			continue
		}
		login, err := u.login(ctx, &hosts[i])
		if err != nil {
			return 0, err
		}
		want.Environment, want.Service = types.NamespacedName{Namespace: env.Namespace, Name: env.Name}, service
		code, err := s.Machines.Exec(ctx, login, want)
		return code, hinted(err)
	}
	return 0, fmt.Errorf("no pod of service %s is ready, and no machine runs it; why: spock env why %s -n %s", service, env.Name, env.Namespace)
}

// readyPod is the first that is ready; nil when none is.
func readyPod(pods []corev1.Pod) *corev1.Pod {
	for i := range pods {
		if pods[i].DeletionTimestamp != nil {
			continue
		}
		for _, c := range pods[i].Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return &pods[i]
			}
		}
	}
	return nil
}

var errNoTerminal = errors.New("-t: there is no terminal here; leave it out")
