package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
)

func newLogs(s *session) *cobra.Command {
	l := &logs{}
	cmd := &cobra.Command{
		Use:   "logs NAME [SERVICE...]",
		Short: "Print the logs of an environment's services",
		Long: `Print the logs of an environment's services, all of them or those named, each line with
the service and the pod or the host it comes from. With -f new pods and restarted containers
join in as they come; Ctrl-C ends it, and is no failure. A host is asked over SSH, with the key
in its Secret, which you must be allowed to read.`,
		Example:           examples(`spock env logs shop`, `spock env logs shop orders web -f`, `spock env logs shop orders --previous --tail 50`),
		Args:              positional(1, -1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	cmd.Flags().BoolVarP(&l.follow, "follow", "f", false, "go on with new lines and new pods")
	cmd.Flags().Int64Var(&l.tail, "tail", 100, "lines of each container to begin with; -1 is all")
	cmd.Flags().BoolVar(&l.previous, "previous", false, "the instance before the last restart")
	cmd.MarkFlagsMutuallyExclusive("follow", "previous")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		selector, err := podsOf(env, args[1:])
		if err != nil {
			return err
		}
		l.pods, l.paint, l.out, l.err = cluster.Kube.CoreV1().Pods(scaffold.NamespaceOf(env)), s.outPaint(), s.Streams.Out, s.Streams.Err
		only := metav1.ListOptions{LabelSelector: selector.String()}
		l.units = &units{machines: s.Machines, cluster: cluster, env: env, services: args[1:]}
		if l.follow {
			return l.followAll(cmd.Context(), cluster.Kube, only)
		}
		return l.printAll(cmd.Context(), env, only)
	})
	return cmd
}

// podsOf selects the pods of services of an environment, of all when none is named.
func podsOf(env *v1alpha1.Environment, services []string) (labels.Selector, error) {
	for _, service := range services {
		if env.Status.Service(service) == nil {
			return nil, noService(env, service)
		}
	}
	selector := labels.SelectorFromSet(labels.Set{
		v1alpha1.LabelEnvironment: env.Name, v1alpha1.LabelEnvironmentNamespace: env.Namespace,
	})
	operator, values := selection.Exists, []string(nil)
	if len(services) > 0 {
		operator, values = selection.In, services
	}
	of, err := labels.NewRequirement(v1alpha1.LabelService, operator, values)
	if err != nil {
		return nil, fmt.Errorf("select the pods of %v: %w", services, err)
	}
	return selector.Add(*of), nil
}

// printAll prints the logs there are, service by service in plan order.
func (l *logs) printAll(ctx context.Context, env *v1alpha1.Environment, only metav1.ListOptions) error {
	list, err := l.pods.List(ctx, only)
	if err != nil {
		return fmt.Errorf("list the pods of environment %s/%s: %w", env.Namespace, env.Name, err)
	}
	var all []printer
	for i := range list.Items {
		pod := &list.Items[i]
		all = append(all, printer{serviceOf(pod), pod.Name, func() { l.printPod(ctx, pod) }})
	}
	hosts, err := l.units.list(ctx)
	if err != nil {
		l.hostsAreHidden(err)
	}
	for i := range hosts {
		for _, service := range l.units.on(&hosts[i]) {
			all = append(all, printer{service, hosts[i].Name, func() { l.printUnit(ctx, &hosts[i], service, l.tail) }})
		}
	}
	if len(all) == 0 {
		fmt.Fprintf(l.err, "nothing runs yet; why: spock env why %s -n %s\n", env.Name, env.Namespace)
		return nil
	}
	rank := map[string]int{}
	for i := range env.Status.Services {
		rank[env.Status.Services[i].Name] = i
	}
	slices.SortStableFunc(all, func(a, b printer) int {
		return cmp.Or(rank[a.service]-rank[b.service], strings.Compare(a.place, b.place))
	})
	for _, p := range all {
		p.print()
	}
	return ctx.Err()
}

// printer prints the log of a service at one place, a pod or a host.
type printer struct {
	service, place string
	print          func()
}

func serviceOf(pod *corev1.Pod) string { return pod.Labels[v1alpha1.LabelService] }
