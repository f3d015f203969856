package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/progress"
)

func newHistory(s *session) *cobra.Command {
	var headless bool
	cmd := &cobra.Command{
		Use:               "history NAME",
		Aliases:           []string{"runs"},
		Short:             "List what was deployed to an environment, the newest first",
		Long:              "List the EnvironmentRuns of an environment that are kept, the newest first: how each attempt ended, what it deployed, how many objects it wrote and how long it took.",
		Example:           examples(`spock env history shop`, `spock env history shop -o wide`, `spock env history shop -o yaml`),
		Args:              positional(1, 1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asWide, asJSON, asYAML, asName)
	cmd.Flags().BoolVar(&headless, "no-headers", false, "leave the titles of the table out")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		runs, err := cluster.runsOf(cmd.Context(), env)
		if err != nil {
			return err
		}
		return s.history(env, runs, format, headless)
	})
	return cmd
}

// runsOf are the kept runs of an environment, the newest first. A namesake before it has
// runs of its own until they are collected.
func (c *Cluster) runsOf(ctx context.Context, env *v1alpha1.Environment) ([]v1alpha1.EnvironmentRun, error) {
	of := metav1.ListOptions{LabelSelector: v1alpha1.LabelEnvironment + "=" + env.Name}
	all, err := c.Spock.SpockV1alpha1().EnvironmentRuns(env.Namespace).List(ctx, of)
	if err != nil {
		return nil, explain(fmt.Errorf("list the runs of environment %s/%s: %w", env.Namespace, env.Name, err))
	}
	runs := slices.DeleteFunc(all.Items, func(r v1alpha1.EnvironmentRun) bool { return r.Spec.EnvironmentUID != string(env.UID) })
	slices.SortFunc(runs, func(a, b v1alpha1.EnvironmentRun) int { return int(b.Spec.Number - a.Spec.Number) })
	return runs, nil
}

func (s *session) history(env *v1alpha1.Environment, runs []v1alpha1.EnvironmentRun, format *format, headless bool) error {
	switch format.value {
	case asJSON, asYAML:
		return format.object(s.Streams.Out, bareRuns(runs))
	case asName:
		for i := range runs {
			fmt.Fprintln(s.Streams.Out, "environmentrun.spock.dev/"+runs[i].Name)
		}
		return nil
	}
	if len(runs) == 0 {
		fmt.Fprintf(s.Streams.Err, "Nothing was deployed to environment %s yet; see: spock env why %s -n %s\n", env.Name, env.Name, env.Namespace)
		return nil
	}
	t := s.historyTable(runs, format.value == asWide)
	t.print(s.Streams.Out, headless)
	return nil
}

func (s *session) historyTable(runs []v1alpha1.EnvironmentRun, wide bool) table {
	t := table{paint: s.outPaint(), painted: "PHASE", titles: []string{"RUN", "PHASE", "SERVICES", "WRITES", "SOURCE", "STARTED", "TOOK"}}
	if wide {
		t.titles = append(t.titles, "GENERATION", "PLAN", "MESSAGE")
	}
	for i := range runs {
		r := &runs[i]
		started, took := s.timesOf(r)
		cells := []string{r.Name, or(string(r.Status.Phase)), or(r.Status.Progress), strconv.FormatInt(r.Status.Writes, 10), or(sourceOf(r)), started, took}
		if wide {
			cells = append(cells, strconv.FormatInt(r.Spec.Generation, 10), r.Spec.PlanDigest, firstOf(r.Status.Message))
		}
		t.row(cells...)
	}
	return t
}

// sourceOf says what a run deployed.
func sourceOf(r *v1alpha1.EnvironmentRun) string {
	if r.Spec.Rollback != nil {
		return "back to " + r.Spec.Rollback.To
	}
	return r.Spec.Source
}

// timesOf says how long ago a run started and how long it took, or takes so far.
func (s *session) timesOf(r *v1alpha1.EnvironmentRun) (started, took string) {
	if r.Status.StartTime == nil {
		return "-", "-"
	}
	end := s.Clock.Now()
	if r.Status.CompletionTime != nil {
		end = r.Status.CompletionTime.Time
	}
	return duration.HumanDuration(s.Clock.Since(r.Status.StartTime.Time)) + " ago", progress.Seconds(end.Sub(r.Status.StartTime.Time))
}

func bareRuns(runs []v1alpha1.EnvironmentRun) *v1alpha1.EnvironmentRunList {
	out := &v1alpha1.EnvironmentRunList{Items: []v1alpha1.EnvironmentRun{}}
	out.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("EnvironmentRunList"))
	for i := range runs {
		run := runs[i].DeepCopy()
		run.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("EnvironmentRun"))
		run.ManagedFields, run.Spec.Snapshot = nil, nil // nobody reads it
		out.Items = append(out.Items, *run)
	}
	return out
}
