package orders

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"example.com/shop/internal/shop"
)

// Redis is the Queue in the shop's Redis.
type Redis struct{ client *redis.Client }

// NewRedis uses client, which stays the caller's.
func NewRedis(client *redis.Client) *Redis { return &Redis{client: client} }

// Push implements Queue.
func (r *Redis) Push(ctx context.Context, id int64) error {
	if err := r.client.LPush(ctx, shop.NewOrders, id).Err(); err != nil {
		return fmt.Errorf("push order %d to %s: %w", id, shop.NewOrders, err)
	}
	return nil
}
