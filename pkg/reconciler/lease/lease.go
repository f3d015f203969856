// Package lease makes the liveness of a controller depend on its lease: a process
// that led and lost it does no more work and looks alive for ever. It may be elected
// again, but what its reconcilers remember is of the time before somebody else led; so
// it is to be restarted.
package lease

import (
	"context"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/reconciler"
)

// Reconciler is what a controller runs: reconciles keys and knows of leadership.
type Reconciler interface {
	controller.Reconciler
	reconciler.LeaderAware
}

// Health answers liveness probes. The zero value is alive. It is safe for concurrent use.
type Health struct {
	mu   sync.Mutex
	lost []string
}

// Attach makes h the liveness probe of the controllers that run with the context.
func (h *Health) Attach(ctx context.Context) context.Context {
	return injection.AddLiveness(ctx, h.ServeHTTP)
}

// ServeHTTP answers 200 until a lease is lost, then 503.
func (h *Health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.lost) > 0 {
		http.Error(w, "lost the lease of "+h.lost[0]+"; restart to lead again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (h *Health) lose(bucket string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = append(h.lost, bucket)
}

// Watched passes everything on to a reconciler and tells Health of lost leases.
type Watched struct {
	Reconciler
	Health *Health

	mu  sync.Mutex
	led map[string]bool
}

// Promote implements reconciler.LeaderAware.
func (w *Watched) Promote(b reconciler.Bucket, enqueue func(reconciler.Bucket, types.NamespacedName)) error {
	w.mu.Lock()
	if w.led == nil {
		w.led = map[string]bool{}
	}
	w.led[b.Name()] = true
	w.mu.Unlock()
	return w.Reconciler.Promote(b, enqueue)
}

// Demote implements reconciler.LeaderAware.
func (w *Watched) Demote(b reconciler.Bucket) {
	w.mu.Lock()
	led := w.led[b.Name()]
	w.mu.Unlock()
	if led {
		w.Health.lose(b.Name())
	}
	w.Reconciler.Demote(b)
}
