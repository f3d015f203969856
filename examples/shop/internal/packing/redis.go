package packing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/shop/internal/shop"
)

// popWait is how long a pop waits for an order: short, since a worker that is told to
// stop notices it only between two pops.
const popWait = time.Second

// Redis is the Queue in the shop's Redis.
type Redis struct{ client *redis.Client }

// NewRedis uses client, which stays the caller's.
func NewRedis(client *redis.Client) *Redis { return &Redis{client: client} }

// Pop implements Queue.
func (r *Redis) Pop(ctx context.Context) (int64, bool, error) {
	popped, err := r.client.BRPop(ctx, popWait, shop.NewOrders).Result()
	if errors.Is(err, redis.Nil) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("pop from %s: %w", shop.NewOrders, err)
	}
	// BRPOP answers the list's name and the element.
	id, err := strconv.ParseInt(popped[1], 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("read an order id from %s: %w", shop.NewOrders, err)
	}
	return id, true, nil
}
