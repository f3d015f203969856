package packing

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/service"
)

// fakeStore is a Store in memory. It refuses the first refusals calls of Pack.
type fakeStore struct {
	packed   []int64
	refusals int
	sweeps   int
	onSweep  func()
}

func (f *fakeStore) Pack(ctx context.Context, id int64) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if f.refusals > 0 {
		f.refusals--
		return false, errors.New("connection refused")
	}
	f.packed = append(f.packed, id)
	return true, nil
}

func (f *fakeStore) PackForgotten(context.Context, time.Duration) (int64, error) {
	f.sweeps++
	if f.onSweep != nil {
		f.onSweep()
	}
	return 0, nil
}

// fakeQueue is a Queue in memory; it calls onPop before each answer, and waits a
// second when it is empty, as Redis does.
type fakeQueue struct {
	ids   []int64
	onPop func(left int)
}

func (f *fakeQueue) Pop(ctx context.Context) (int64, bool, error) {
	if f.onPop != nil {
		f.onPop(len(f.ids))
	}
	if len(f.ids) == 0 {
		wait(ctx, time.Second)
		return 0, false, nil
	}
	id := f.ids[0]
	f.ids = f.ids[1:]
	return id, true, nil
}

func TestWorkerPacksInTheOrderOfTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		store := &fakeStore{}
		queue := &fakeQueue{ids: []int64{3, 1, 2}, onPop: func(left int) {
			if left == 0 {
				stop()
			}
		}}
		(&Worker{Store: store, Queue: queue, Log: slog.New(slog.DiscardHandler), Age: time.Minute}).Run(ctx)
		if diff := cmp.Diff([]int64{3, 1, 2}, store.packed); diff != "" {
			t.Errorf("packed orders differ (-want +got):\n%s", diff)
		}
	})
}

func TestWorkerFinishesAnOrderThatItTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		store := &fakeStore{}
		queue := &fakeQueue{ids: []int64{1, 2}, onPop: func(int) { stop() }}
		(&Worker{Store: store, Queue: queue, Log: slog.New(slog.DiscardHandler), Age: time.Minute}).Run(ctx)
		if diff := cmp.Diff([]int64{1}, store.packed); diff != "" {
			t.Errorf("orders packed by a worker that was stopped differ (-want +got):\n%s", diff)
		}
	})
}

func TestWorkerGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		store := &fakeStore{refusals: 1}
		queue := &fakeQueue{ids: []int64{1, 2}, onPop: func(left int) {
			if left == 0 {
				stop()
			}
		}}
		start := time.Now()
		(&Worker{Store: store, Queue: queue, Log: slog.New(slog.DiscardHandler), Age: time.Minute}).Run(ctx)
		if diff := cmp.Diff([]int64{2}, store.packed); diff != "" {
			t.Errorf("packed orders differ (-want +got):\n%s", diff)
		}
		if waited := time.Since(start); waited < pause {
			t.Errorf("went on after %s, want a pause of %s after a failure", waited, pause)
		}
	})
}

func TestWorkerLooksForForgottenOrders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		store := &fakeStore{}
		store.onSweep = func() {
			if store.sweeps == 3 {
				stop()
			}
		}
		start := time.Now()
		(&Worker{Store: store, Queue: &fakeQueue{}, Log: slog.New(slog.DiscardHandler), Age: time.Minute}).Run(ctx)
		// At the start, and then once a minute.
		if took := time.Since(start); took < 2*time.Minute || took > 2*time.Minute+2*time.Second {
			t.Errorf("three sweeps took %s, want 2 minutes", took)
		}
	})
}

func TestRunRefusesToStartWithoutItsSettings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings map[string]string
		want     string
	}{
		"no database": {want: "DB_HOST is not set"},
		"no queue": {
			settings: map[string]string{"DB_HOST": "127.0.0.1", "DB_PASSWORD": "s3"}, want: "REDIS_ADDR is not set"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := service.NewSettings(func(n string) (string, bool) { v, ok := tc.settings[n]; return v, ok })
			err := Run(t.Context(), &service.Process{Settings: s, Log: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run() = %v, want %q in it", err, tc.want)
			}
		})
	}
}
