package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

func newHostList(s *session) *cobra.Command {
	var everywhere bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List machines",
		Example: examples(`spock host ls`, `spock host ls -A`, `spock host ls -o json`),
		Args:    positional(0, 0, "no argument"),
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML, asName)
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "list the machines of all namespaces")
	cmd.RunE = ran(func(cmd *cobra.Command, _ []string) error {
		cluster, err := s.Connect(s.connection)
		if err != nil {
			return err
		}
		if everywhere {
			cluster.Namespace = metav1.NamespaceAll
		}
		return s.listHosts(cmd.Context(), cluster, format)
	})
	return cmd
}

func (s *session) listHosts(ctx context.Context, cluster *Cluster, format *format) error {
	all, err := cluster.Spock.SpockV1alpha1().Hosts(cluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return explain(fmt.Errorf("list hosts: %w", err))
	}
	out := &v1alpha1.HostList{Items: []v1alpha1.Host{}}
	out.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("HostList"))
	t := table{paint: s.outPaint(), painted: "STATE", titles: []string{"NAMESPACE", "NAME", "ADDRESS", "STATE", "OS", "CPUS", "MEMORY", "SERVICES", "AGE"}}
	for i := range all.Items {
		h := bareHost(&all.Items[i])
		out.Items = append(out.Items, *h)
		facts := factsOf(h)
		t.row(h.Namespace, h.Name, h.Spec.Address, hostState(h), or(facts.OS), or(count(facts.CPUs)), or(size(facts.Memory)),
			fmt.Sprint(len(h.Status.Allocations)), duration.HumanDuration(s.Clock.Since(h.CreationTimestamp.Time)))
	}
	switch {
	case format.value == asJSON, format.value == asYAML:
		return format.object(s.Streams.Out, out)
	case format.value == asName:
		for i := range out.Items {
			fmt.Fprintln(s.Streams.Out, "host.spock.dev/"+out.Items[i].Name)
		}
	case len(out.Items) == 0:
		fmt.Fprintln(s.Streams.Err, "There is no host. Add one with: spock host add NAME --address ADDRESS --key FILE")
	default:
		t.print(s.Streams.Out, false)
	}
	return nil
}

func bareHost(h *v1alpha1.Host) *v1alpha1.Host {
	h = h.DeepCopy()
	h.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("Host"))
	h.ManagedFields = nil
	return h
}

func factsOf(h *v1alpha1.Host) v1alpha1.HostFacts {
	if h.Status.Facts == nil {
		return v1alpha1.HostFacts{}
	}
	return *h.Status.Facts
}

func count(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// size is a quantity as people read it, in GiB unless it is small.
func size(q *resource.Quantity) string {
	switch {
	case q == nil || q.IsZero():
		return ""
	case q.Value() < 1<<30:
		return fmt.Sprintf("%dMi", q.Value()>>20)
	default:
		return fmt.Sprintf("%.1fGi", float64(q.Value())/(1<<30))
	}
}

// hostState is a machine's state in one word: Ready, or why it is not.
func hostState(h *v1alpha1.Host) string {
	ready := h.Status.GetCondition(apis.ConditionReady)
	switch {
	case ready == nil || h.Status.ObservedGeneration < h.Generation:
		return string(v1alpha1.PhasePending)
	case ready.Status == corev1.ConditionTrue && h.Spec.Drain:
		return "Drained"
	case ready.Status == corev1.ConditionTrue:
		return string(v1alpha1.PhaseReady)
	default:
		return ready.Reason
	}
}

func newHostShow(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Aliases:           []string{"get", "describe"},
		Short:             "Show a machine and what runs on it",
		Example:           examples(`spock host show db1`, `spock host show db1 -o yaml`),
		Args:              positional(1, 1, "the NAME of a host"),
		ValidArgsFunction: s.completeHost,
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML)
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		_, h, err := s.host(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if format.value != asTable {
			return format.object(s.Streams.Out, bareHost(h))
		}
		s.showHost(h)
		return nil
	})
	return cmd
}

func (s *session) showHost(h *v1alpha1.Host) {
	out, facts := s.Streams.Out, factsOf(h)
	message := ""
	if ready := h.Status.GetCondition(apis.ConditionReady); ready != nil {
		message = ready.Message
	}
	fmt.Fprintf(out, "%s in %s is %s%s\n", h.Name, h.Namespace, s.outPaint().word(hostState(h)), sentence(message))
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(h.Labels)) {
		labels = append(labels, k+"="+h.Labels[k])
	}
	machine := strings.Join(slices.DeleteFunc([]string{facts.OS, facts.Arch, prefixed("systemd ", count(facts.Systemd))}, func(t string) bool { return t == "" }), ", ")
	has := strings.Join(slices.DeleteFunc([]string{suffixed(count(facts.CPUs), " CPUs"), suffixed(size(facts.Memory), " memory"), suffixed(size(facts.DiskFree), " of the disk free")},
		func(t string) bool { return t == "" }), ", ")
	capacity := strings.Join(slices.DeleteFunc([]string{suffixed(text(h.Spec.Capacity.CPU), " CPU"), suffixed(text(h.Spec.Capacity.Memory), " memory"), suffixed(slots(h), " slots")},
		func(t string) bool { return t == "" }), ", ")
	for _, line := range [][2]string{
		{"address", h.Spec.Login() + "@" + h.Spec.SSHAddress()}, {"key", h.Status.Fingerprint}, {"labels", strings.Join(labels, ", ")},
		{"machine", machine}, {"has", has}, {"may use", capacity},
	} {
		if line[1] != "" {
			fmt.Fprintf(out, "  %-10s %s\n", line[0], line[1])
		}
	}
	if len(h.Status.Allocations) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := table{paint: s.outPaint(), painted: "STATE", titles: []string{"ENVIRONMENT", "SERVICE", "STATE"}}
	for _, a := range h.Status.Allocations {
		t.row(a.Environment, a.Service, a.State)
	}
	t.print(out, false)
}

func text(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	return q.String()
}

func slots(h *v1alpha1.Host) string {
	if h.Spec.Capacity.Slots == nil {
		return ""
	}
	return fmt.Sprint(*h.Spec.Capacity.Slots)
}

func suffixed(text, with string) string {
	if text == "" {
		return ""
	}
	return text + with
}

func prefixed(with, text string) string {
	if text == "" {
		return ""
	}
	return with + text
}

func newHostCheck(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME",
		Short: "Log in to a machine from here, and see whether Spock can work on it",
		Long: `Log in to a machine from here, with your own rights to read its Secret, and see whether
Spock can work on it: its key, the login, the tools, the right to become root. Nothing is
changed. What the controller sees of the machine is shown by "spock host show".`,
		Example:           examples(`spock host check db1`),
		Args:              positional(1, 1, "the NAME of a host"),
		ValidArgsFunction: s.completeHost,
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			cluster, h, err := s.host(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.checkHost(cmd.Context(), cluster, h)
		}),
	}
}

func (s *session) checkHost(ctx context.Context, cluster *Cluster, h *v1alpha1.Host) error {
	name := h.Spec.Credentials.SecretName
	secret, err := cluster.Kube.CoreV1().Secrets(h.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return explain(fmt.Errorf("read secret %s/%s: %w", h.Namespace, name, err))
	}
	facts, err := s.Machines.Facts(ctx, login(h.Name, &h.Spec, secret.Data[v1alpha1.HostSecretKey], secret.Data[v1alpha1.HostSecretCert]))
	if err != nil {
		return hinted(err)
	}
	fmt.Fprintf(s.Streams.Out, "host %s can be used: %s\n", h.Name, about(facts))
	return nil
}

// hinted adds the next step to a failure of a machine.
func hinted(err error) error {
	if hint := host.ClassOf(err).Hint(); hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

// about says in a line what a machine is.
func about(f host.Facts) string {
	quantity := func(kib int64) *resource.Quantity { return resource.NewQuantity(kib<<10, resource.BinarySI) }
	return fmt.Sprintf("%s, %s, systemd %d, %d CPUs, %s memory, %s of the disk free", or(f.OS), or(f.Arch), f.Systemd, f.CPUs, size(quantity(f.MemoryKiB)), size(quantity(f.DiskFreeKiB)))
}
