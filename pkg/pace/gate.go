package pace

import (
	"context"
	"sync"
	"time"
)

// Gate lets as many requests through at a time as the server takes. All who write to one
// server share one gate. It is safe for concurrent use; the zero value is not.
type Gate struct {
	now func() time.Time

	mu    sync.Mutex
	limit limit
	under int             // way
	queue []chan struct{} // who waits, in order of arrival
}

// NewGate returns a gate that reads a clock.
func NewGate(now func() time.Time) *Gate { return &Gate{now: now, limit: newLimit()} }

// Enter waits for a place, in order of arrival, or for the end of ctx. leave gives the
// place back, when the answer has come, and is called once.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	if turn := g.ask(); turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			g.withdraw(turn)
			return nil, ctx.Err()
		}
	}
	began := g.now()
	return func() { g.leave(began) }, nil
}

// Allowed is how many requests may be under way now.
func (g *Gate) Allowed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit.allowed()
}

// Busy says that the server has refused a request because it has too much to do.
func (g *Gate) Busy() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit.busy()
}

// ask takes a place, or returns what tells that there is one.
func (g *Gate) ask() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.under < g.limit.allowed() && len(g.queue) == 0 {
		g.under++
		return nil
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	return turn
}

// withdraw leaves the queue; a place that was given meanwhile goes to the next.
func (g *Gate) withdraw(turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.queue {
		if other == turn {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			return
		}
	}
	g.under--
	g.next()
}

func (g *Gate) leave(began time.Time) {
	took := g.now().Sub(began)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit.answered(took, g.under)
	g.under--
	g.next()
}

// next lets in whom the limit allows.
func (g *Gate) next() {
	for len(g.queue) > 0 && g.under < g.limit.allowed() {
		g.under++
		close(g.queue[0])
		g.queue = g.queue[1:]
	}
}
