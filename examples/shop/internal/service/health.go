package service

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// checkTimeout stays below the second that a probe waits by default.
const checkTimeout = 800 * time.Millisecond

// Check is one thing a process needs in order to serve.
type Check struct {
	// Name of what is needed.
	Name string
	// Probe fails when it cannot be used. It must give up when its context ends.
	Probe func(context.Context) error
}

// Health answers 200 while all checks pass, else 503 and which of them do not.
func Health(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		failed := failures(r.Context(), checks)
		if len(failed) > 0 {
			WriteJSON(w, http.StatusServiceUnavailable, healthReport{Status: "unavailable", Failed: failed})
			return
		}
		WriteJSON(w, http.StatusOK, healthReport{Status: "ok"})
	})
}

type healthReport struct {
	Status string            `json:"status"`
	Failed map[string]string `json:"failed,omitempty"`
}

// failures runs all checks side by side and returns those that failed.
func failures(ctx context.Context, checks []Check) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed = map[string]string{}
	)
	for _, c := range checks {
		wg.Go(func() {
			if err := c.Probe(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[c.Name] = err.Error()
			}
		})
	}
	wg.Wait()
	return failed
}
