package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// Browse shows an address to the person.
type Browse func(ctx context.Context, url string) error

func newOpen(s *session) *cobra.Command {
	printed := false
	cmd := &cobra.Command{
		Use:   "open NAME [SERVICE]",
		Short: "Open the URL of an environment in a browser",
		Long: `Print the URL of an environment, or of one of its services, and open it in a browser: the
program that $BROWSER names, else the one that the system has for it.`,
		Example:           examples(`spock env open shop`, `spock env open shop web`, `curl "$(spock env open shop --print)"`),
		Args:              positional(1, 2, "the NAME of an environment, and a SERVICE"),
		ValidArgsFunction: s.completeEnvironment,
	}
	cmd.Flags().BoolVar(&printed, "print", false, "only print it")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		_, env, err := s.environment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		url, err := address(env, args[1:])
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(s.Streams.Out, url); err != nil || printed {
			return err
		}
		return s.Browse(cmd.Context(), url)
	})
	return cmd
}

// address is the URL of an environment or of the service that is named.
func address(env *v1alpha1.Environment, service []string) (string, error) {
	where := fmt.Sprintf("environment %s/%s", env.Namespace, env.Name)
	if len(service) == 0 {
		if env.Status.URL == "" {
			return "", fmt.Errorf("%s has no URL: it is %s, or none of its services is exposed in the product", where, phase(env))
		}
		return env.Status.URL, nil
	}
	var exposed []string
	for _, s := range env.Status.Services {
		if s.URL == "" {
			continue
		}
		if s.Name == service[0] {
			return s.URL, nil
		}
		exposed = append(exposed, s.Name)
	}
	return "", fmt.Errorf("%s has no URL for service %s; %s", where, service[0], nearest.Hint(service[0], exposed, "no service of it is exposed"))
}

// browser is the Browse of a person's desktop.
func browser(ctx context.Context, url string) error {
	for _, program := range []string{os.Getenv("BROWSER"), "xdg-open", "open"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		if out, err := exec.CommandContext(ctx, path, url).CombinedOutput(); err != nil {
			return fmt.Errorf("open the browser %s: %w: %s", path, err, out)
		}
		return nil
	}
	return errors.New("there is no browser to open it in; name one in $BROWSER, or use --print")
}
