// Command event-door takes the events of a webhook of GitHub or Jira and makes the runs
// they ask for. It keeps nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var config, secret, namespace, address, metrics string
	cmd := &cobra.Command{
		Use: "event-door", Short: "Take the events of a webhook and make the runs they ask for",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(cmd.OutOrStdout(), nil))
			cluster, err := connect()
			if err != nil {
				return err
			}
			door, err := server.Open(config, secret, namespace, cluster, log)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), log, listener(address, outside(door)), listener(metrics, inside(door)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "/etc/events", "directory with config.yaml and the templates of runs")
	f.StringVar(&secret, "secret", "/etc/webhook/secret", "file with the secret of the webhook")
	f.StringVar(&namespace, "namespace", "default", "namespace of the runs")
	f.StringVar(&address, "address", ":8080", "address to listen on for events")
	f.StringVar(&metrics, "metrics-address", ":9090", "address to listen on for /metrics and /healthz, which are nobody's outside")
	return cmd
}

func connect() (dynamic.Interface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	config.QPS, config.Burst = 100, 300
	return dynamic.NewForConfig(config)
}

// outside is what senders ask for, and EventListeners that stand before the door.
func outside(door *server.Door) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", door)
	mux.HandleFunc("POST /interceptor", door.Intercept)
	return mux
}

// inside is what the cluster asks for.
func inside(door *server.Door) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", door.Metrics)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func listener(address string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second,
		WriteTimeout: 40 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

// serve ends when ctx does, after the deliveries under way are answered. It says where it
// listens once it does, the addresses in the order of the servers.
func serve(ctx context.Context, log *slog.Logger, servers ...*http.Server) error {
	var at []string
	var listeners []net.Listener
	for _, s := range servers {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", s.Addr, err)
		}
		at, listeners = append(at, l.Addr().String()), append(listeners, l)
	}
	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() { failed <- fmt.Errorf("serve at %s: %w", at[i], s.Serve(listeners[i])) }()
	}
	log.Info("listening", "at", at)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	var all []error
	for _, s := range servers {
		all = append(all, s.Shutdown(last))
	}
	return errors.Join(all...)
}
