package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/render"
)

const explainLong = `Show the final values of the services, image, replicas, parameters and variables, and the
layer that each comes from: Template, Product, Class, Environment or Run, the strongest last.
A variable from a Secret shows where it comes from, not its value.`

// explained is one value of a service, as -o json and yaml print it.
type explained struct {
	Service string       `json:"service"`
	Name    string       `json:"name"`
	Value   any          `json:"value"`
	Layer   render.Layer `json:"layer"`
}

func newExplain(s *session) *cobra.Command {
	var headless bool
	cmd := &cobra.Command{
		Use:               "explain NAME [SERVICE]",
		Aliases:           []string{"values"},
		Short:             "Show every final value, and the layer it comes from",
		Long:              explainLong,
		Example:           examples(`spock env explain shop`, `spock env explain shop orders`, `spock env explain shop -o json`),
		Args:              positional(1, 2, "the NAME of an environment, and of a service if you like"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML)
	cmd.Flags().BoolVar(&headless, "no-headers", false, "leave the titles of the table out")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		_, rendered, err := cluster.render(cmd.Context(), env)
		if err != nil {
			return err
		}
		services, err := chosen(rendered.Services, args[1:])
		if err != nil {
			return err
		}
		return s.explain(services, format, headless)
	})
	return cmd
}

// chosen are all services, or the one that is named.
func chosen(services []render.Service, name []string) ([]render.Service, error) {
	if len(name) == 0 {
		return services, nil
	}
	at := slices.IndexFunc(services, func(r render.Service) bool { return r.Name == name[0] })
	if at >= 0 {
		return services[at : at+1], nil
	}
	var known []string
	for _, r := range services {
		known = append(known, r.Name)
	}
	return nil, fmt.Errorf("the environment has no service %q; %s", name[0], nearest.Hint(name[0], known, ""))
}

func (s *session) explain(services []render.Service, format *format, headless bool) error {
	values := []explained{}
	for _, r := range services {
		for _, v := range r.Values {
			values = append(values, explained{r.Name, v.Name, v.Value, v.Layer})
		}
	}
	if format.value != asTable {
		return format.object(s.Streams.Out, values)
	}
	t := table{titles: []string{"SERVICE", "NAME", "VALUE", "FROM"}}
	last := ""
	for _, v := range values {
		service := v.Service
		if service == last && !headless {
			service = ""
		}
		last = v.Service
		t.row(service, v.Name, fmt.Sprint(v.Value), string(v.Layer))
	}
	t.print(s.Streams.Out, headless)
	return nil
}
