package cli

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// fakeScreen shows what a terminal would, of the codes that a board uses. A line that is too
// wide takes more rows.
type fakeScreen struct {
	mu            sync.Mutex
	width, height int
	rows          []string
	row           int
	// frames are what was to be seen after each write; drawn gets the newest.
	frames []string
	drawn  chan string
}

func (s *fakeScreen) size() (width, height int) { return s.width, s.height }

func (s *fakeScreen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := string(text)
	for rest != "" {
		if code, after, found := strings.Cut(strings.TrimPrefix(rest, "\x1b["), "A"); strings.HasPrefix(rest, "\x1b[") && found && len(code) < 4 {
			up, _ := strconv.Atoi(code)
			s.row, rest = s.row-up, after
			continue
		}
		if after, found := strings.CutPrefix(rest, toEnd); found {
			s.rows, rest = s.rows[:s.row], after
			continue
		}
		line, after, _ := strings.Cut(rest, "\n")
		rest = after
		for text := []rune(line); ; text = text[s.width:] {
			s.rows, s.row = append(s.rows, string(text[:min(len(text), s.width)])), s.row+1
			if len(text) <= s.width {
				break
			}
		}
	}
	s.frames = append(s.frames, strings.Join(s.rows, "\n")+"\n")
	if s.drawn != nil {
		s.drawn <- s.frames[len(s.frames)-1]
	}
	return len(text), nil
}

// comes makes a watch tell these states one after the other.
func (w *world) comes(states ...func(*v1alpha1.Environment)) {
	events := watch.NewFakeWithChanSize(len(states), false)
	for _, state := range states {
		events.Modify(environment("shop", state))
	}
	w.spock.PrependWatchReactor("environments", clienttesting.DefaultWatchReactor(events, nil))
}

// On a screen a rollout is drawn in place, and its story stays.
func TestUpOnAScreen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stores(t, environment("shop", progressing))
	w.comes(progressing, ready)
	screen := &fakeScreen{width: 60, height: 24}
	w.err, w.screen = screen, screen.size
	got := w.run("env", "up", "shop", "--product", "shop", "--class", "dev")
	if got.code != 0 || !strings.HasPrefix(got.out, "GROUP ") {
		t.Errorf("exit %d, the answer:\n%s", got.code, got.out)
	}
	same(t, filepath.Join("testdata", "up-screen.txt"), "--- at first\n"+screen.frames[0]+"--- at last\n"+screen.frames[len(screen.frames)-1])
}

// A second later the times are others, though nothing happened.
func TestAScreenIsDrawnEverySecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	screen := &fakeScreen{width: 60, height: 24, drawn: make(chan string, 10)}
	s := &session{Config: Config{Clock: w.clock, Streams: Streams{Err: screen, Screen: screen.size}}}
	v := s.view()
	v.show(environment("shop", progressing))
	before := <-screen.drawn
	w.clock.Step(time.Second)
	if after := <-screen.drawn; !strings.Contains(after, "   1.0s ▶") || strings.Count(after, "\n") != strings.Count(before, "\n") {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	v.close()
	if got := <-screen.drawn; strings.Contains(got, "services ready") {
		t.Errorf("the board stays:\n%s", got)
	}
}

func (s *fakeScreen) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames[len(s.frames)-1]
}

// A screen that becomes narrower breaks lines in two; they go all the same.
func TestABoardIsClearedOnAScreenThatBecameNarrower(t *testing.T) {
	t.Parallel()
	screen := &fakeScreen{width: 60, height: 24}
	b := &board{out: screen, screen: screen.size}
	b.draw([]string{"stays"}, []string{strings.Repeat("x", 80), "short"})
	if want := "stays\n" + strings.Repeat("x", 58) + "…\nshort\n"; screen.last() != want {
		t.Errorf("want %q, got %q", want, screen.last())
	}
	screen.width = 30
	screen.rows, screen.row = []string{"stays", strings.Repeat("x", 30), strings.Repeat("x", 28) + "…", "short"}, 4
	b.draw(nil, []string{"y"})
	if diff := cmp.Diff("stays\ny\n", screen.last()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Where a screen has no room for a board, the story is told as to a pipe.
func TestASmallScreenGetsLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stores(t, environment("shop", progressing))
	w.comes(progressing, ready)
	screen := &fakeScreen{width: 39, height: 9}
	w.screen = screen.size
	got := w.run("env", "up", "shop", "--product", "shop", "--class", "dev")
	if strings.Contains(got.err, "\x1b") || !strings.Contains(got.err, "waits for") {
		t.Errorf("stderr:\n%q", got.err)
	}
}
