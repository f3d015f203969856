package pace_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"spock.dev/spock/pkg/pace"
)

func TestAGateLetsInAsManyAsAllowedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(time.Now)
		var leaves []func()
		for range pace.First {
			leaves = append(leaves, enter(t, g))
		}
		entered := make(chan int, 3)
		for i := range 3 {
			go func() {
				enter(t, g)
				entered <- i
			}()
			synctest.Wait()
		}
		if len(entered) != 0 {
			t.Fatalf("%d entered a full gate", len(entered))
		}
		for want := range 3 {
			leaves[want]()
			if got := <-entered; got != want {
				t.Errorf("number %d entered, want number %d", got, want)
			}
		}
	})
}

func TestWhoLeavesTheQueueLosesNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(time.Now)
		var leaves []func()
		for range pace.First {
			leaves = append(leaves, enter(t, g))
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := g.Enter(ctx)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("Enter() = %v, want %v", err, context.Canceled)
		}
		leaves[0]()
		enter(t, g)
	})
}

func TestABusyServerGetsHalf(t *testing.T) {
	t.Parallel()
	g := pace.NewGate(time.Now)
	g.Busy()
	if got := g.Allowed(); got != pace.First/2 {
		t.Errorf("%d allowed, want %d", got, pace.First/2)
	}
}

func enter(t *testing.T, g *pace.Gate) func() {
	t.Helper()
	leave, err := g.Enter(t.Context())
	if err != nil {
		t.Errorf("Enter() failed: %v", err)
	}
	return leave
}
