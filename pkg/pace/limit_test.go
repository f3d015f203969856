package pace

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestALimitLearns(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers  func(l *limit)
		from, to int
	}{
		"it begins at the first one":                {func(*limit) {}, First, First},
		"a server without a queue is given more":    {queueing(1000, time.Hour), Most, Most},
		"a server that queues is given no more":     {queueing(200, 10*time.Millisecond), First, First + 10},
		"too busy halves it once for all under way": {func(l *limit) { l.busy(); l.busy(); l.busy() }, First / 2, First / 2},
		"too busy again, after what was under way": {func(l *limit) {
			l.busy()
			queueing(First, time.Hour)(l)
			l.busy()
		}, First / 4, First/4 + 1},
		"too busy without end leaves a little": {func(l *limit) {
			for range 1000 {
				l.busy()
				l.answered(time.Second, l.allowed())
			}
		}, Least, Least + 1},
		"a server that was too busy once is given as much again, however slow it is": {func(l *limit) {
			l.answered(time.Millisecond, 1)
			l.busy()
			for range 200 {
				l.answered(time.Second, l.allowed())
			}
		}, First, First},
		"a limit that nobody reaches does not grow": {func(l *limit) {
			for range 1000 {
				l.answered(time.Millisecond, 1)
			}
		}, First, First},
		"a server that is slower for good is believed in the end": {func(l *limit) {
			queueing(50, time.Hour)(l)
			for range 3000 {
				l.answered(20*time.Millisecond, l.allowed())
			}
		}, First, Most},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLimit()
			tc.answers(&l)
			if got := l.allowed(); got < tc.from || got > tc.to {
				t.Errorf("%d may be under way, want %d to %d", got, tc.from, tc.to)
			}
		})
	}
}

// queueing answers in a millisecond, and with so much more for each one that waits behind
// the first four; an hour stands for a server that has no queue.
func queueing(answers int, each time.Duration) func(*limit) {
	return func(l *limit) {
		for range answers {
			took := time.Millisecond
			if waiting := l.allowed() - 4; each < time.Hour && waiting > 0 {
				took += time.Duration(waiting) * each
			}
			l.answered(took, l.allowed())
		}
	}
}

func TestALimitKeepsItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLimit()
		for range rapid.IntRange(1, 300).Draw(t, "answers") {
			if rapid.Bool().Draw(t, "busy") {
				l.busy()
			} else {
				l.answered(time.Duration(rapid.Int64().Draw(t, "took")), rapid.IntRange(0, Most).Draw(t, "under way"))
			}
			if got := l.allowed(); got < Least || got > Most {
				t.Fatalf("%d may be under way", got)
			}
		}
	})
}
