package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/progress"
)

func newWhy(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "why NAME [SERVICE]",
		Short: "Say why an environment is not up",
		Long: `Say why an environment is not up: each failed service with its cause, the last lines of
its log, what to do next and who is blocked by it; what each other one waits for; or what
is wrong with the spec. It exits 0 whatever the answer is.`,
		Example:           examples(`spock env why shop`, `spock env why shop orders`),
		Args:              positional(1, 2, "the NAME of an environment and of a SERVICE"),
		ValidArgsFunction: s.completeEnvironment,
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			cluster, err := s.Connect(s.connection)
			if err != nil {
				return err
			}
			env, err := cluster.environment(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			lines := s.why(env)
			if len(args) == 2 {
				if lines, err = s.whyService(env, args[1]); err != nil {
					return err
				}
			}
			for _, line := range lines {
				fmt.Fprintln(s.Streams.Out, s.outPaint().line(line))
			}
			return nil
		}),
	}
}

// why answers for the environment as a whole.
func (s *session) why(env *v1alpha1.Environment) []string {
	lines := []string{s.headline(env)}
	if text := lag(env); text != "" {
		lines = append(lines, text)
	}
	if env.DeletionTimestamp == nil && refused(env) {
		return append(lines, refusals(env)...)
	}
	if env.Status.Phase == v1alpha1.PhaseReady {
		return lines
	}
	lines = append(lines, progress.Failures(env.Status)...)
	for i := range env.Status.Services {
		if service := &env.Status.Services[i]; pending(service) {
			lines = append(lines, s.standing(service))
		}
	}
	return lines
}

func (s *session) headline(env *v1alpha1.Environment) string {
	line := fmt.Sprintf("environment %s/%s is %s", env.Namespace, env.Name, phase(env))
	since := env.Status.GetCondition(apis.ConditionReady)
	if since != nil && !since.LastTransitionTime.Inner.IsZero() && env.Status.Phase == v1alpha1.PhaseReady {
		at := since.LastTransitionTime.Inner.Time
		line += fmt.Sprintf(" since %s (%s ago)", at.UTC().Format(time.RFC3339), duration.HumanDuration(s.Clock.Since(at)))
	}
	if refused(env) {
		return line + ": the spec was refused, nothing was written"
	}
	return line + sentence(env.Status.Message)
}

func refused(env *v1alpha1.Environment) bool {
	ready := env.Status.GetCondition(apis.ConditionReady)
	return env.Status.Phase == v1alpha1.PhaseFailed && ready != nil && ready.Reason == v1alpha1.ReasonInvalid
}

func refusals(env *v1alpha1.Environment) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(env.Status.Message), "\n") {
		lines = append(lines, "✘ "+line)
	}
	return lines
}

// pending are the states that are no end and no failure of their own.
func pending(service *v1alpha1.ServiceStatus) bool {
	return service.State == v1alpha1.ServiceWaiting || service.State == v1alpha1.ServiceProgressing || service.State == v1alpha1.ServiceBlocked
}

// standing says in a line what a service that has not failed is doing.
func (s *session) standing(service *v1alpha1.ServiceStatus) string {
	name := strings.TrimPrefix(service.Group+"/"+service.Name, "/")
	switch service.State {
	case v1alpha1.ServiceReady:
		return fmt.Sprintf("✔ %s is ready%s", name, s.since(service))
	case v1alpha1.ServiceWaiting:
		return fmt.Sprintf("◎ %s waits for %s", name, strings.Join(service.WaitingFor, ", "))
	case v1alpha1.ServiceBlocked:
		return fmt.Sprintf("⊘ %s is blocked by %s", name, strings.Join(service.WaitingFor, ", "))
	}
	so := ""
	if service.StartedAt != nil {
		so = ", since " + duration.HumanDuration(s.Clock.Since(service.StartedAt.Time))
	}
	what := service.Message
	if service.Cause != nil {
		what = service.Cause.Sentence()
	}
	return fmt.Sprintf("▷ %s is on its way%s%s", name, so, sentence(what))
}

func (s *session) since(service *v1alpha1.ServiceStatus) string {
	if service.ReadyAt == nil {
		return ""
	}
	return " since " + duration.HumanDuration(s.Clock.Since(service.ReadyAt.Time))
}

// whyService answers for one service: its failure, or the failures it is blocked by.
func (s *session) whyService(env *v1alpha1.Environment, name string) ([]string, error) {
	service := env.Status.Service(name)
	if service == nil {
		if refused(env) {
			return s.why(env), nil
		}
		return nil, noService(env, name)
	}
	culprits, lines := []string{name}, []string(nil)
	if service.State != v1alpha1.ServiceFailed {
		lines = append(lines, s.standing(service))
		culprits = service.WaitingFor
	}
	// Failures knows who is blocked only from the whole; the others' failures are hidden.
	status := env.Status.DeepCopy()
	if status.Rollback != nil && status.Rollback.Service != name {
		status.Rollback = nil
	}
	for i := range status.Services {
		if other := &status.Services[i]; other.State == v1alpha1.ServiceFailed && !slices.Contains(culprits, other.Name) {
			other.State = ""
		}
	}
	return append(lines, progress.Failures(*status)...), nil
}

func noService(env *v1alpha1.Environment, name string) error {
	var known []string
	for i := range env.Status.Services {
		known = append(known, env.Status.Services[i].Name)
	}
	return fmt.Errorf("environment %s/%s has no service %s; %s", env.Namespace, env.Name, name,
		nearest.Hint(name, known, fmt.Sprintf("it has none at all yet, see: spock env why %s -n %s", env.Name, env.Namespace)))
}
