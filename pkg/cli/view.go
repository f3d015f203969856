package cli

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/progress"
)

// view shows on stderr how a rollout goes: on a screen its story with a board beneath, which
// is drawn anew every second; elsewhere line by line.
type view struct {
	clock clock.WithTicker
	start time.Time
	plain func(lines ...string)
	stop  func()

	mu    sync.Mutex
	board *board // nil elsewhere
	told  v1alpha1.EnvironmentStatus
}

// least of a screen that a board is worth it on.
const leastWidth, leastHeight = 40, 10

// view begins to show a rollout; close ends it.
func (s *session) view() *view {
	v := &view{clock: s.Clock, start: s.Clock.Now(), plain: s.progress, stop: func() {}}
	if s.Streams.Screen == nil {
		return v
	}
	if width, height := s.Streams.Screen(); width < leastWidth || height < leastHeight {
		return v
	}
	v.board = &board{out: s.Streams.Err, screen: s.Streams.Screen, paint: s.errPaint()}
	ticker, done := s.Clock.NewTicker(time.Second), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-ticker.C():
				v.draw(nil)
			case <-done:
				return
			}
		}
	})
	v.stop = func() { ticker.Stop(); close(done); group.Wait() }
	return v
}

func (v *view) elapsed() time.Duration { return v.clock.Since(v.start) }

// show tells what changed since it was called last.
func (v *view) show(now *v1alpha1.Environment) {
	if refused(now) {
		return // what the status says of services is about an older spec
	}
	v.mu.Lock()
	told := v.told
	v.told = *now.Status.DeepCopy()
	v.mu.Unlock()
	if v.board == nil {
		v.plain(progress.Lines(told, now.Status, v.elapsed())...)
		return
	}
	v.draw(progress.Story(told, now.Status, v.elapsed()))
}

func (v *view) draw(story []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, height := v.board.screen()
	v.board.draw(story, progress.Board(v.told, v.elapsed(), v.clock.Now(), height/2))
}

// close leaves the story alone on the screen.
func (v *view) close() {
	v.stop()
	if v.board != nil {
		v.board.draw(nil, nil)
	}
}
