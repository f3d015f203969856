package artifact

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/source"
)

const (
	// maxHeld bounds, in bytes, the artifacts that are kept.
	maxHeld = 64 << 20
	// workers fetch at the same time; one namespace has no more than half of them.
	workers = 4
	// fresh is how long the right to an artifact holds before its credentials are read again.
	fresh = 10 * time.Minute
	// The first and the longest pause after a failure.
	firstPause, longestPause = 2 * time.Second, time.Minute
	// maxStates is how many wants are remembered before idle ones are forgotten.
	maxStates = 1000
)

// Want is an artifact that somebody needs, and as whom its credentials are read.
type Want struct {
	source.Artifact
	Namespace, ServiceAccount string
}

// Answer is what is known of an artifact.
type Answer struct {
	// Layers when they are there.
	Layers []source.Layer
	// Size of the artifact, as soon as it was there once.
	Size int64
	// Failure of the last attempt.
	Failure *Failure
	// RetryAt is when the next attempt may be made; zero while one is under way.
	RetryAt time.Time
}

// There says whether the layers are there.
func (a Answer) There() bool { return a.Layers != nil }

// Store fetches artifacts in the background and keeps the newest ones in memory. Failures
// are tried again when somebody asks, with longer and longer pauses. What was fetched with
// some credentials is given to those alone who have the same ones. It is safe for
// concurrent use.
type Store struct {
	ctx  context.Context
	door Door
	now  func() time.Time
	wake func(types.NamespacedName)

	mu       sync.Mutex
	states   map[Want]*state
	contents *contents
	queue    []Want
	running  map[string]int // by namespace
	active   int
	once     once
	secret   [32]byte // makes identities mean nothing to others
}

// state is what is known of a want.
type state struct {
	busy    bool
	id      identity
	had     time.Time // when the right to the content was last established
	size    int64
	failure *Failure
	pause   time.Duration
	retryAt time.Time
	asked   time.Time
	waiting map[types.NamespacedName]bool
}

// NewStore returns a store that wakes who waited for an artifact whenever an attempt ends.
func NewStore(ctx context.Context, door Door, now func() time.Time, wake func(types.NamespacedName)) *Store {
	return &Store{
		ctx: ctx, door: door, now: now, wake: wake, secret: newSecret(),
		states: map[Want]*state{}, contents: newContents(maxHeld), running: map[string]int{},
	}
}

// Ask says what is known of an artifact, and has it fetched where it is not there. Who asks
// is woken when an attempt ends.
func (s *Store) Ask(want Want, who types.NamespacedName) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	st := s.state(want, now)
	if !st.had.IsZero() && now.Sub(st.had) < fresh {
		if layers, ok := s.contents.get(st.id); ok {
			return Answer{Layers: layers, Size: st.size}
		}
	}
	if !st.busy && !now.Before(st.retryAt) {
		st.busy = true
		s.queue = append(s.queue, want)
		s.dispatch()
	}
	if st.busy {
		st.waiting[who] = true
		return Answer{Size: st.size, Failure: st.failure}
	}
	return Answer{Size: st.size, Failure: st.failure, RetryAt: st.retryAt}
}

// state is that of a want. What nobody asks for any more is forgotten when there is much.
func (s *Store) state(want Want, now time.Time) *state {
	st := s.states[want]
	if st == nil {
		if len(s.states) >= maxStates {
			for other, old := range s.states {
				if !old.busy && now.Sub(old.asked) > fresh {
					delete(s.states, other)
				}
			}
		}
		st = &state{waiting: map[types.NamespacedName]bool{}}
		s.states[want] = st
	}
	st.asked = now
	return st
}

// dispatch starts what may run now. A namespace whose registry is slow leaves room for others.
func (s *Store) dispatch() {
	for i := 0; i < len(s.queue) && s.active < workers; {
		want := s.queue[i]
		if s.running[want.Namespace] >= workers/2 {
			i++
			continue
		}
		s.queue = append(s.queue[:i], s.queue[i+1:]...)
		s.running[want.Namespace]++
		s.active++
		go s.work(want)
	}
}

// work makes one attempt.
func (s *Store) work(want Want) {
	id, layers, err := s.bring(want)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if s.running[want.Namespace]--; s.running[want.Namespace] == 0 {
		delete(s.running, want.Namespace)
	}
	st := s.states[want]
	st.busy = false
	if err != nil {
		st.had, st.failure = time.Time{}, err
		st.pause = min(max(2*st.pause, firstPause), longestPause)
		st.retryAt = s.now().Add(st.pause)
	} else {
		s.contents.put(id, layers)
		st.id, st.had, st.size = id, s.now(), sizeOf(layers)
		st.failure, st.pause, st.retryAt = nil, 0, time.Time{}
	}
	for who := range st.waiting {
		delete(st.waiting, who)
		s.wake(who)
	}
	s.dispatch()
}
