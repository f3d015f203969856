package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// shutdownTimeout is how long requests under way may take after a stop: with the drain
// before it, it stays below the ten seconds after which a pod is killed.
const shutdownTimeout = 7 * time.Second

// Server is the HTTP side of a process.
type Server struct {
	// Handler of everything but /healthz; nil when there is nothing else.
	Handler http.Handler
	// Checks of /healthz.
	Checks []Check
	// Drain is how long the server goes on serving after it was told to stop, for
	// those who have not heard of it yet. Meanwhile /healthz says 503.
	Drain time.Duration
	// Log of requests and of the server's life.
	Log *slog.Logger
}

// Serve listens on PORT until ctx ends, and then lets requests under way finish.
func (p *Process) Serve(ctx context.Context, handler http.Handler, checks ...Check) error {
	addr := net.JoinHostPort("", p.Settings.String("PORT", "8080"))
	drain := p.Settings.Duration("DRAIN", 0)
	if err := p.Settings.Err(); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	return (&Server{Handler: handler, Checks: checks, Drain: drain, Log: p.Log}).Run(ctx, l)
}

// Run serves on l until ctx ends, and then lets requests under way finish.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.routes(ctx), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	s.Log.Info("serving", "address", l.Addr().String())

	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.Log.Info("stopping", "drain", s.Drain.String())
	if err := s.drain(served); err != nil {
		return err
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		return fmt.Errorf("wait for requests under way: %w", err)
	}
	return nil
}

// drain returns when the drain time is over, or with the error that ended serving.
func (s *Server) drain(served <-chan error) error {
	select {
	case err := <-served:
		return fmt.Errorf("serve while draining: %w", err)
	case <-time.After(s.Drain):
		return nil
	}
}

func (s *Server) routes(ctx context.Context) http.Handler {
	stopping := Check{Name: "process", Probe: func(context.Context) error {
		if ctx.Err() != nil {
			return errors.New("is stopping")
		}
		return nil
	}}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", Health(append([]Check{stopping}, s.Checks...)...))
	if s.Handler != nil {
		mux.Handle("/", logRequests(s.Log, s.Handler))
	}
	return mux
}
