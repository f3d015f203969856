package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/progress"
)

func newShow(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Aliases:           []string{"get", "describe"},
		Short:             "Show an environment and its services",
		Example:           examples(`spock env show shop`, `spock env show shop -o wide`, `spock env show shop -o yaml`),
		Args:              positional(1, 1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asWide, asJSON, asYAML, asName)
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		_, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if done, err := format.environment(s.Streams.Out, env); done {
			return err
		}
		s.showHeader(env)
		s.showServices(env, format.value == asWide)
		return nil
	})
	return cmd
}

func (s *session) showHeader(env *v1alpha1.Environment) {
	out := s.Streams.Out
	fmt.Fprintf(out, "%s in %s is %s%s\n", env.Name, env.Namespace, s.outPaint().word(string(phase(env))), sentence(env.Status.Message))
	if text := lag(env); text != "" {
		fmt.Fprintln(out, "  "+text)
	}
	source := ""
	if env.Spec.Run != nil {
		source = env.Spec.Run.Source
	}
	for _, line := range [][2]string{
		{"product", env.Spec.Product}, {"class", env.Spec.Class}, {"url", env.Status.URL}, {"namespace", env.Status.Namespace},
		{"run", env.Status.Run}, {"source", source}, {"only", strings.Join(env.Spec.Only, ", ")},
	} {
		if line[1] != "" {
			fmt.Fprintf(out, "  %-10s %s\n", line[0], line[1])
		}
	}
}

// sentence puts a message behind a word: on its line, or below when it has several.
func sentence(message string) string {
	lines := strings.Split(strings.TrimSpace(message), "\n")
	switch {
	case message == "":
		return ""
	case len(lines) == 1:
		return ": " + lines[0]
	}
	return ":\n  - " + strings.Join(lines, "\n  - ")
}

// lag says that the status speaks of an older spec; it is empty when it does not.
func lag(env *v1alpha1.Environment) string {
	switch observed := env.Status.ObservedGeneration; {
	case observed >= env.Generation, env.DeletionTimestamp != nil: // a teardown has no generation of its own
		return ""
	case observed == 0:
		return "it has not been taken up yet (is Spock's controller running?)"
	default:
		return fmt.Sprintf("this is about generation %d; generation %d has not been taken up yet (is Spock's controller running?)", observed, env.Generation)
	}
}

func (s *session) showServices(env *v1alpha1.Environment, wide bool) {
	if len(env.Status.Services) == 0 {
		return
	}
	fmt.Fprintln(s.Streams.Out)
	t := table{paint: s.outPaint(), painted: "STATE", titles: []string{"GROUP", "SERVICE", "STATE", "TIME", "IMAGE", "NOTE"}}
	if wide {
		t.titles = []string{"GROUP", "SERVICE", "STATE", "TIME", "IMAGE", "URL", "NOTE"}
	}
	group := ""
	for i := range env.Status.Services {
		service := &env.Status.Services[i]
		cells := []string{service.Group, service.Name, string(service.State), s.took(service)}
		if i > 0 && service.Group == group {
			cells[0] = ""
		}
		group = service.Group
		if wide {
			cells = append(cells, or(service.Image), or(service.URL), note(service))
		} else {
			cells = append(cells, or(shortImage(service.Image)), note(service))
		}
		t.row(cells...)
	}
	t.print(s.Streams.Out, false)
}

// took is how long a service took until it was ready, or has taken so far.
func (s *session) took(service *v1alpha1.ServiceStatus) string {
	switch {
	case service.StartedAt == nil:
		return "-"
	case service.ReadyAt != nil:
		return progress.Seconds(service.ReadyAt.Sub(service.StartedAt.Time))
	case service.State == v1alpha1.ServiceProgressing:
		return progress.Seconds(s.Clock.Since(service.StartedAt.Time).Round(100*time.Millisecond)) + "…"
	}
	return "-"
}

func note(service *v1alpha1.ServiceStatus) string {
	switch {
	case service.State == v1alpha1.ServiceReady:
		return ""
	case service.Cause != nil:
		return string(service.Cause.Class) + ": " + service.Cause.Message
	case service.Message == "" && len(service.WaitingFor) > 0:
		return "waits for " + strings.Join(service.WaitingFor, ", ")
	}
	return service.Message
}

// shortImage leaves out the registry and most of the digest.
func shortImage(image string) string {
	name, digest, digested := strings.Cut(image[strings.LastIndex(image, "/")+1:], "@")
	if !digested {
		return name
	}
	_, hex, _ := strings.Cut(digest, ":")
	return name + "@" + hex[:min(12, len(hex))]
}
