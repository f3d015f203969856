package lease

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
)

type bucket string

func (b bucket) Name() string                { return string(b) }
func (bucket) Has(types.NamespacedName) bool { return true }

// told keeps what it is told.
type told struct{ calls []string }

func (r *told) Reconcile(_ context.Context, key string) error {
	r.calls = append(r.calls, "reconcile "+key)
	return nil
}

func (r *told) Promote(b reconciler.Bucket, _ func(reconciler.Bucket, types.NamespacedName)) error {
	r.calls = append(r.calls, "promote "+b.Name())
	return nil
}

func (r *told) Demote(b reconciler.Bucket) { r.calls = append(r.calls, "demote "+b.Name()) }

func TestLivenessFollowsTheLease(t *testing.T) {
	t.Parallel()
	promote := func(b bucket) func(*Watched) { return func(w *Watched) { _ = w.Promote(b, nil) } }
	demote := func(b bucket) func(*Watched) { return func(w *Watched) { w.Demote(b) } }
	tests := map[string]struct {
		steps []func(*Watched)
		want  string
	}{
		"a candidate is alive":                   {want: "200 "},
		"a leader is alive":                      {steps: []func(*Watched){promote("a")}, want: "200 "},
		"one that never led is alive":            {steps: []func(*Watched){demote("a")}, want: "200 "},
		"one that led something else is alive":   {steps: []func(*Watched){promote("a"), demote("b")}, want: "200 "},
		"one that lost its lease is not":         {steps: []func(*Watched){promote("a"), demote("a")}, want: "503 lost the lease of a; restart to lead again\n"},
		"nor one that lost one of its leases":    {steps: []func(*Watched){promote("a"), promote("b"), demote("b")}, want: "503 lost the lease of b; restart to lead again\n"},
		"nor one that got it again, as it knows": {steps: []func(*Watched){promote("a"), demote("a"), promote("a")}, want: "503 lost the lease of a; restart to lead again\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			health := &Health{}
			w := &Watched{Reconciler: &told{}, Health: health}
			for _, step := range tt.steps {
				step(w)
			}
			answer := httptest.NewRecorder()
			health.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/health", nil))
			if got := fmt.Sprintf("%d %s", answer.Code, answer.Body); got != tt.want {
				t.Errorf("the probe says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWatchedPassesEverythingOn(t *testing.T) {
	t.Parallel()
	inner := &told{}
	w := &Watched{Reconciler: inner, Health: &Health{}}
	if err := w.Promote(bucket("a"), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Reconcile(context.Background(), "team-a/shop"); err != nil {
		t.Fatal(err)
	}
	w.Demote(bucket("a"))
	if diff := cmp.Diff([]string{"promote a", "reconcile team-a/shop", "demote a"}, inner.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestTheProbeOfTheProcessAsksHealth(t *testing.T) {
	t.Parallel()
	health := &Health{}
	ctx, cancel := context.WithCancel(logging.WithLogger(context.Background(), zap.NewNop().Sugar()))
	port := freePort(t)
	ended := make(chan error, 1)
	go func() { ended <- injection.ServeHealthProbes(health.Attach(ctx), port) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if got := probe(t, ended, port); got != http.StatusOK {
		t.Errorf("at first the probe says %d", got)
	}
	health.lose("a")
	if got := probe(t, ended, port); got != http.StatusServiceUnavailable {
		t.Errorf("without its lease the probe says %d", got)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// probe asks until the server is up, or has ended.
func probe(t *testing.T, ended chan error, port int) int {
	t.Helper()
	for {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health", port))
		if err == nil {
			defer answer.Body.Close()
			_, _ = io.Copy(io.Discard, answer.Body)
			return answer.StatusCode
		}
		select {
		case err := <-ended:
			ended <- err // for the cleanup
			t.Fatalf("the server ended: %v", err)
		default:
		}
	}
}
