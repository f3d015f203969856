package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	works := Check{Name: "redis", Probe: func(context.Context) error { return nil }}
	broken := Check{Name: "postgres", Probe: func(context.Context) error { return errors.New("connection refused") }}
	hangs := Check{Name: "catalog", Probe: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	tests := map[string]struct {
		checks []Check
		status int
		body   string
	}{
		"a process that needs nothing is healthy": {status: 200, body: `{"status":"ok"}`},
		"a process is healthy when all it needs is there": {
			checks: []Check{works}, status: 200, body: `{"status":"ok"}`},
		"an unhealthy process names what it misses": {
			checks: []Check{works, broken}, status: 503,
			body: `{"status":"unavailable","failed":{"postgres":"connection refused"}}`},
		"a check that hangs counts as failed before the prober gives up": {
			checks: []Check{hangs}, status: 503,
			body: `{"status":"unavailable","failed":{"catalog":"context deadline exceeded"}}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			Health(tc.checks...).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
			if got := strings.TrimSpace(w.Body.String()); w.Code != tc.status || got != tc.body {
				t.Errorf("answered %d %s, want %d %s", w.Code, got, tc.status, tc.body)
			}
		})
	}
}

// listen opens a free port of the machine.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return l
}

func request(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("make a request: %v", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("GET %s: %v", address, err)
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestServerLetsRequestsUnderWayFinish(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	l := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	srv := &Server{Log: slog.New(slog.DiscardHandler), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	})}
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx, l) }()
	answered := make(chan string, 1)
	go func() {
		_, body := request(t, "http://"+l.Addr().String()+"/slow")
		answered <- body
	}()

	<-arrived
	stop()
	close(release)
	if got := <-answered; got != "done" {
		t.Errorf("the request under way got %q, want done", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil after a stop", err)
	}
}

func TestStoppingServerSaysSoOnHealth(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	routes := (&Server{Log: slog.New(slog.DiscardHandler)}).routes(ctx)
	for _, want := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
		if w.Code != want {
			t.Errorf("GET /healthz answered %d %s, want %d", w.Code, w.Body, want)
		}
		stop()
	}
}

func TestServeNamesAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p := &Process{Settings: from(map[string]string{"PORT": port}), Log: slog.New(slog.DiscardHandler)}
	if err := p.Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "listen on :"+port) {
		t.Errorf("Serve() = %v, want it to name port %s", err, port)
	}
}
