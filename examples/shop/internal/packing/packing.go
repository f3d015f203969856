// Package packing packs orders: those the queue tells of at once, and those it never
// told of (it lost them, or was away) after a while.
package packing

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"example.com/shop/internal/cache"
	"example.com/shop/internal/database"
	"example.com/shop/internal/service"
)

// pause is how long the worker leaves a queue or database alone that failed.
const pause = time.Second

// Store marks orders as packed.
type Store interface {
	// Pack marks an order as packed, and is false when there was nothing to do.
	Pack(ctx context.Context, id int64) (bool, error)
	// PackForgotten packs all orders that have waited longer than age, and counts them.
	PackForgotten(ctx context.Context, age time.Duration) (int64, error)
}

// Queue tells of new orders.
type Queue interface {
	// Pop waits a moment for the next order; false means that there is none now.
	Pop(ctx context.Context) (int64, bool, error)
}

// Run packs orders until ctx ends.
func Run(ctx context.Context, p *service.Process) error {
	pool, err := database.Open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := cache.Open(p.Settings)
	defer client.Close()
	worker := &Worker{
		Store: NewPostgres(pool), Queue: NewRedis(client), Log: p.Log,
		Age: p.Settings.Duration("FORGOTTEN_AFTER", time.Minute),
	}
	if err := p.Settings.Err(); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { worker.Run(ctx) })
	err = p.Serve(ctx, nil, database.Check(pool, "orders"), cache.Check(client))
	cancel()
	wg.Wait()
	return err
}

// Worker packs one order after the other.
type Worker struct {
	Store Store
	Queue Queue
	Log   *slog.Logger
	// Age at which an order counts as forgotten by the queue.
	Age time.Duration
}

// Run packs until ctx ends. It looks for forgotten orders when it starts and then once
// per Age.
func (w *Worker) Run(ctx context.Context) {
	sweep := time.NewTicker(max(w.Age, pause))
	defer sweep.Stop()
	w.sweep(ctx)
	for ctx.Err() == nil {
		select {
		case <-sweep.C:
			w.sweep(ctx)
		default:
		}
		if err := w.next(ctx); err != nil && ctx.Err() == nil {
			w.Log.Error("pack the next order", "error", err.Error())
			wait(ctx, pause)
		}
	}
}

// next packs the next order of the queue, if there is one. An order that fails is not
// lost: the next sweep finds it.
func (w *Worker) next(ctx context.Context) error {
	id, ok, err := w.Queue.Pop(ctx)
	if err != nil || !ok {
		return err
	}
	// An order that was popped is packed, also when the worker was told to stop.
	packed, err := w.Store.Pack(context.WithoutCancel(ctx), id)
	if err != nil {
		return err
	}
	w.Log.Info("order packed", "order", id, "already", !packed)
	return nil
}

func (w *Worker) sweep(ctx context.Context) {
	n, err := w.Store.PackForgotten(ctx, w.Age)
	switch {
	case err != nil && ctx.Err() == nil:
		w.Log.Error("pack forgotten orders", "error", err.Error())
	case n > 0:
		w.Log.Warn("packed forgotten orders", "orders", n)
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
