// Package pace says how many requests a server takes at a time without queueing them. It
// learns that from the answers alone: how long they took, and which were "too busy".
package pace

import "time"

// The bounds of a limit. It begins at First, which is also as far as slow answers alone
// bring it down: when others crowd the server, who asks for less gets less of it and helps
// nobody. Only "too busy" brings it down to Least.
const (
	First = 16
	Least = 2
	Most  = 64
)

// How many requests may queue at the server before the limit grows no more, or shrinks.
// A few keep it busy between an answer and the next request; more only make each later.
const (
	calm    = 4
	crowded = 12
)

// forget is the share by which the fastest answer is forgotten with every answer, so that
// a server that has become slower for good is believed in the end.
const forget = 0.002

// limit follows delay-based congestion control (TCP Vegas): with n requests under way, of
// which the fastest possible takes f and this one took t, n*(1-f/t) of them wait in a queue.
// It is pure.
type limit struct {
	value   float64
	fastest time.Duration
	// deaf is for how many answers a "too busy" changes nothing: they were under way when
	// the limit was halved.
	deaf int
	// known says that the limit has been met once; until then it doubles with every round.
	known bool
}

func newLimit() limit { return limit{value: First} }

// allowed is how many requests may be under way.
func (l *limit) allowed() int { return int(l.value) }

// answered learns from an answer that took so long while n requests were under way.
func (l *limit) answered(took time.Duration, n int) {
	l.deaf = max(0, l.deaf-1)
	if took <= 0 {
		return
	}
	l.fastest += time.Duration(float64(l.fastest) * forget)
	if l.fastest == 0 || took < l.fastest {
		l.fastest = took
	}
	queued := float64(n) * (1 - float64(l.fastest)/float64(took))
	l.known = l.known || queued >= calm
	switch {
	case l.value < First: // "too busy" brought it here, and now it is not
		l.set(l.value + 1/l.value)
	case queued > crowded:
		l.set(max(l.value-1/l.value, First))
	case queued >= calm || n < l.allowed(): // a limit that nobody reaches is not too small
	case l.known:
		l.set(l.value + 1/l.value)
	default:
		l.set(l.value + 1)
	}
}

// busy halves the limit, once for all that was under way.
func (l *limit) busy() {
	if l.deaf > 0 {
		return
	}
	l.deaf, l.known = l.allowed(), true
	l.set(l.value / 2)
}

func (l *limit) set(value float64) { l.value = min(max(value, Least), Most) }
