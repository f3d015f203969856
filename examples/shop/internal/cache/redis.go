// Package cache opens the shop's Redis.
package cache

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"example.com/shop/internal/service"
)

// Open makes a client for REDIS_ADDR. It connects when it is first used.
func Open(s *service.Settings) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: s.Required("REDIS_ADDR"),
		// Notices of a managed Redis moving elsewhere; a plain server has none.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// Check says whether Redis answers.
func Check(client *redis.Client) service.Check {
	return service.Check{Name: "redis", Probe: func(ctx context.Context) error {
		return client.Ping(ctx).Err()
	}}
}
