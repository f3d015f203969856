package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/shop/internal/shop"
)

// productsKey holds all products as one JSON list.
const productsKey = "catalog:products"

// Redis is the Cache in the shop's Redis.
type Redis struct {
	client *redis.Client
	ttl    time.Duration
}

// NewRedis remembers products for ttl; the client stays the caller's.
func NewRedis(client *redis.Client, ttl time.Duration) *Redis {
	return &Redis{client: client, ttl: ttl}
}

// Load implements Cache.
func (r *Redis) Load(ctx context.Context) ([]shop.Product, bool, error) {
	data, err := r.client.Get(ctx, productsKey).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("get %s: %w", productsKey, err)
	}
	products, err := decode(data)
	return products, err == nil, err
}

// Save implements Cache.
func (r *Redis) Save(ctx context.Context, products []shop.Product) error {
	data, err := json.Marshal(products)
	if err != nil {
		return fmt.Errorf("encode products: %w", err)
	}
	if err := r.client.Set(ctx, productsKey, data, r.ttl).Err(); err != nil {
		return fmt.Errorf("set %s: %w", productsKey, err)
	}
	return nil
}

func decode(data []byte) ([]shop.Product, error) {
	var products []shop.Product
	if err := json.Unmarshal(data, &products); err != nil {
		return nil, fmt.Errorf("decode %s: %w", productsKey, err)
	}
	return products, nil
}
