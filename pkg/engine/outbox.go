package engine

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// Outbox holds the writes of one environment between steps: what was decided last and is
// not sent yet, and what is under way. A step that sees more than the last one puts what is
// urgent now in front. Nothing in it needs to survive: after a restart the same is decided
// again. It is safe for concurrent use.
type Outbox struct {
	engine *Engine
	life   context.Context // of the writes; they outlive the step that began them
	tell   func()          // a step is due: a write has failed, or all are done

	mu     sync.Mutex
	queue  []*parcel
	under  map[*parcel]bool   // way
	calm   int                // of them, those that are not urgent
	done   sent               // since the last step
	since  map[plan.Key]bool  // what has arrived since the world was looked at
	idle   chan struct{}      // closed when nothing is queued or under way
	missed bool               // no step has waited for the end of what is under way
	drift  map[plan.Key]Drift // that what is sent heals
}

// sent is what came of writes.
type sent struct {
	writes  int64 // and deletions
	written map[plan.Key]bool
	refused map[plan.Key]Refusal
	errs    []error
	drift   []Drift // that was to be healed by what was written or refused
}

func newSent() sent {
	return sent{written: map[plan.Key]bool{}, refused: map[plan.Key]Refusal{}}
}

// NewOutbox makes the outbox of an environment. The writes end with life. tell is called
// when a step is due because of writes, from many goroutines.
func (e *Engine) NewOutbox(life context.Context, tell func()) *Outbox {
	idle := make(chan struct{})
	close(idle)
	return &Outbox{engine: e, life: life, tell: tell, under: map[*parcel]bool{}, idle: idle, done: newSent(), since: map[plan.Key]bool{}, drift: map[plan.Key]Drift{}}
}

// Withdraw drops what is not under way, and says whether nothing is; tell is called when
// the rest is done.
func (b *Outbox) Withdraw() (empty bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = nil
	b.missed = true
	return len(b.under) == 0
}

// look says that the world is looked at now, for what is put next.
func (b *Outbox) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.since)
}

// put replaces what is not under way. A parcel of which something is under way, or has
// arrived since the world was looked at, waits for another step: what comes of that
// decides what is next.
func (b *Outbox) put(scope target.Scope, state target.State, d *Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.under)+len(b.done.written)+len(b.done.refused) == 0 {
		clear(b.drift) // what was not sent is decided anew
	}
	for _, drift := range d.Drift {
		if drift.Healing {
			b.drift[drift.Key] = drift
		}
	}
	sending := maps.Clone(b.since)
	for p := range b.under {
		p.each(func(key plan.Key) { sending[key] = true })
	}
	b.queue = slices.DeleteFunc(parcels(d), func(p *parcel) (wait bool) {
		p.each(func(key plan.Key) { wait = wait || sending[key] })
		return wait
	})
	for _, p := range b.queue {
		p.scope, p.state = scope, state
	}
	if len(b.queue) > 0 && len(b.under) == 0 {
		b.idle = make(chan struct{})
	}
	b.pump()
}

// pump sends as many parcels as the target takes. Those that are not urgent leave room:
// something urgent may come at any time. It is called with the lock held.
func (b *Outbox) pump() {
	allowed := b.engine.Gate.Allowed()
	for len(b.queue) > 0 && len(b.under) < allowed {
		p := b.queue[0]
		if !p.urgent() {
			if b.calm >= (allowed+1)/2 {
				return
			}
			b.calm++
		}
		b.queue = b.queue[1:]
		b.under[p] = true
		go func() { b.arrived(p, b.engine.deliver(b.life, p)) }()
	}
}

// arrived notes what came of a parcel.
func (b *Outbox) arrived(p *parcel, s sent) {
	b.mu.Lock()
	delete(b.under, p)
	p.each(func(key plan.Key) { b.since[key] = true })
	if !p.urgent() {
		b.calm--
	}
	b.done.add(s)
	b.pump()
	over := len(b.under) == 0
	if over {
		close(b.idle)
	}
	// What went well is told by the watch.
	due := b.missed && (over || len(s.errs)+len(s.refused) > 0)
	b.mu.Unlock()
	if due {
		b.tell()
	}
}

func (s *sent) add(other sent) {
	s.writes += other.writes
	s.errs = append(s.errs, other.errs...)
	maps.Copy(s.written, other.written)
	maps.Copy(s.refused, other.refused)
}

// settle waits until all is done, but no longer than patience, so that a step that has
// little to write tells what came of it, and returns what has been done since the last
// time.
func (b *Outbox) settle(ctx context.Context, patience time.Duration) sent {
	b.mu.Lock()
	idle := b.idle
	b.missed = false
	b.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	case <-ctx.Done():
	}
	return b.collect()
}

// collect returns what has been done since the last time. What comes later is told.
func (b *Outbox) collect() sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed = true
	done := b.done
	b.done = newSent()
	for key, drift := range b.drift {
		if _, refused := done.refused[key]; refused || done.written[key] {
			done.drift = append(done.drift, drift)
			delete(b.drift, key)
		}
	}
	slices.SortFunc(done.drift, func(a, b Drift) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return done
}
