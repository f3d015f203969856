// Package orders takes orders. The database is the truth about them; the queue only
// tells the worker sooner.
package orders

import (
	"context"
	"fmt"
	"time"

	"example.com/shop/internal/cache"
	"example.com/shop/internal/database"
	"example.com/shop/internal/schema"
	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

// databaseWait is how long a migration waits for a database that is starting.
const databaseWait = time.Minute

// Store keeps the orders.
type Store interface {
	// Create keeps a new order, or returns shop.ErrUnknownProduct.
	Create(ctx context.Context, sku string, quantity int) (shop.Order, error)
	// Order returns an order, or shop.ErrUnknownOrder.
	Order(ctx context.Context, id int64) (shop.Order, error)
}

// Queue tells the worker about new orders.
type Queue interface {
	// Push adds an order that waits to be packed.
	Push(ctx context.Context, id int64) error
}

// Run serves the orders until ctx ends, or migrates the database when it is told to.
func Run(ctx context.Context, p *service.Process) error {
	if len(p.Args) > 0 {
		return command(ctx, p)
	}
	pool, err := database.Open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := cache.Open(p.Settings)
	defer client.Close()

	h := NewHandler(NewPostgres(pool), NewRedis(client), p.Log)
	return p.Serve(ctx, h, database.Check(pool, "orders"), cache.Check(client))
}

func command(ctx context.Context, p *service.Process) error {
	if len(p.Args) != 1 || p.Args[0] != "migrate" {
		return fmt.Errorf("unknown arguments %q; the only command is `migrate`", p.Args)
	}
	return migrate(ctx, p)
}

func migrate(ctx context.Context, p *service.Process) error {
	pool, err := database.Open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	ctx, cancel := context.WithTimeout(ctx, databaseWait)
	defer cancel()
	if err := database.Wait(ctx, pool.Ping, time.Second); err != nil {
		return err
	}
	if err := schema.Migrate(ctx, pool); err != nil {
		return err
	}
	p.Log.Info("migrated")
	return nil
}
