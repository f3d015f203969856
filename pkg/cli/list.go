package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func newList(s *session) *cobra.Command {
	var everywhere, headless bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List environments",
		Example: examples(`spock env ls`, `spock env ls -A -o wide`, `spock env ls -o json`),
		Args:    positional(0, 0, "no argument"),
	}
	format := outputFlag(cmd, asTable, asWide, asJSON, asYAML, asName)
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "list the environments of all namespaces")
	cmd.Flags().BoolVar(&headless, "no-headers", false, "leave the titles of the table out")
	cmd.RunE = ran(func(cmd *cobra.Command, _ []string) error {
		cluster, err := s.Connect(s.connection)
		if err != nil {
			return err
		}
		if everywhere {
			cluster.Namespace = metav1.NamespaceAll
		}
		return s.list(cmd.Context(), cluster, format, headless)
	})
	return cmd
}

func (s *session) list(ctx context.Context, cluster *Cluster, format *format, headless bool) error {
	all, err := cluster.Spock.SpockV1alpha1().Environments(cluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return explain(fmt.Errorf("list environments: %w", err))
	}
	switch format.value {
	case asJSON, asYAML:
		return format.object(s.Streams.Out, bareList(all))
	case asName:
		for i := range all.Items {
			if _, err := format.environment(s.Streams.Out, &all.Items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all.Items) == 0 {
		s.sayEmpty(cluster.Namespace)
		return nil
	}
	t := s.listTable(all.Items, cluster.Namespace == metav1.NamespaceAll, format.value == asWide)
	t.print(s.Streams.Out, headless)
	return nil
}

func (s *session) sayEmpty(namespace string) {
	if namespace == metav1.NamespaceAll {
		fmt.Fprintln(s.Streams.Err, "There is no environment in this cluster.")
	} else {
		fmt.Fprintf(s.Streams.Err, "There is no environment in namespace %s; look into the others with -A.\n", namespace)
	}
	fmt.Fprintln(s.Streams.Err, "Make one with: spock env up NAME --product PRODUCT --class CLASS")
}

func (s *session) listTable(items []v1alpha1.Environment, everywhere, wide bool) table {
	t := table{paint: s.outPaint(), painted: "PHASE"}
	if everywhere {
		t.titles = append(t.titles, "NAMESPACE")
	}
	t.titles = append(t.titles, "NAME", "PRODUCT", "CLASS", "PHASE", "SERVICES", "URL", "AGE")
	if wide {
		t.titles = append(t.titles, "RUN", "RUNS IN", "MESSAGE")
	}
	for i := range items {
		e := &items[i]
		var cells []string
		if everywhere {
			cells = append(cells, e.Namespace)
		}
		age := duration.HumanDuration(s.Clock.Since(e.CreationTimestamp.Time))
		cells = append(cells, e.Name, e.Spec.Product, e.Spec.Class, string(phase(e)), or(e.Status.Progress), or(e.Status.URL), age)
		if wide {
			cells = append(cells, or(e.Status.Run), or(e.Status.Namespace), firstOf(e.Status.Message))
		}
		t.row(cells...)
	}
	return t
}

// phase is the phase, of an environment that no controller has seen too.
func phase(e *v1alpha1.Environment) v1alpha1.Phase {
	if e.Status.Phase == "" {
		return v1alpha1.PhasePending
	}
	return e.Status.Phase
}

// firstOf is the first sentence of a message that may have several, a line each.
func firstOf(message string) string {
	first, rest, more := strings.Cut(message, "\n")
	if !more {
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, strings.Count(rest, "\n")+1)
}

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func bareList(all *v1alpha1.EnvironmentList) *v1alpha1.EnvironmentList {
	out := &v1alpha1.EnvironmentList{Items: []v1alpha1.Environment{}}
	out.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("EnvironmentList"))
	for i := range all.Items {
		out.Items = append(out.Items, *bare(&all.Items[i]))
	}
	return out
}
