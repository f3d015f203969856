// Command status-teller tells GitHub and Jira how the runs go that the doors for events
// have made in a namespace.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/github"
	"spock.dev/spock/pkg/task/jira"
	"spock.dev/spock/pkg/teller"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// files are where what is secret, and what is not, is read from.
type files struct{ config, github, jira string }

func command() *cobra.Command {
	var at files
	var namespace string
	cmd := &cobra.Command{
		Use: "status-teller", Short: "Tell GitHub and Jira how the runs go that events asked for",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(cmd.OutOrStdout(), nil))
			cluster, err := connect()
			if err != nil {
				return err
			}
			watch, err := teller.NewWatch(cluster, namespace)
			if err != nil {
				return err
			}
			t := &teller.Teller{Runs: watch, Cluster: cluster, Now: time.Now, Log: log}
			if err := at.read(t, cmd); err != nil {
				return err
			}
			return watch.Serve(cmd.Context(), t)
		},
	}
	f := cmd.Flags()
	f.StringVar(&at.config, "config", "/etc/status/status.yaml", "file that says whom to tell")
	f.StringVar(&at.github, "github-token", "/etc/github/token", "file with the token for GitHub")
	f.StringVar(&at.jira, "jira-token", "/etc/jira/token", "file with the token for Jira")
	f.StringVar(&namespace, "namespace", "default", "namespace of the runs")
	return cmd
}

func (at files) read(t *teller.Teller, cmd *cobra.Command) error {
	raw, err := os.ReadFile(at.config)
	if err != nil {
		return fmt.Errorf("read whom to tell: %w", err)
	}
	if t.Config, err = teller.ParseConfig(raw); err != nil {
		return err
	}
	if c := t.Config.GitHub; c != nil {
		client, err := caller(cmd, c.API, at.github, github.Bearer)
		if err != nil {
			return fmt.Errorf("github: %w", err)
		}
		t.GitHub = github.New(client)
	}
	if c := t.Config.Jira; c != nil {
		client, err := caller(cmd, c.API, at.jira, func(token string) func(*http.Request) { return jira.Authorize(c.User, token) })
		if err != nil {
			return fmt.Errorf("jira: %w", err)
		}
		t.Jira = jira.New(client)
	}
	return nil
}

// caller reads the token anew for each request, so that the Secret can be changed.
func caller(cmd *cobra.Command, base, file string, authorize func(token string) func(*http.Request)) (*api.Client, error) {
	if _, err := api.Token(file); err != nil {
		return nil, err
	}
	return api.New(base, func(r *http.Request) {
		if token, err := api.Token(file); err == nil {
			authorize(token)(r)
		}
	}, cmd.ErrOrStderr())
}

func connect() (tekton.Interface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return tekton.NewForConfig(config)
}
