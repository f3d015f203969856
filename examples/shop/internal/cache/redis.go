// Package cache opens the shop's Redis.
package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"example.com/shop/internal/service"
)

// Open makes a client for REDIS_ADDR. It connects when it is first used. It gives up
// soon, since everyone in the shop can do without Redis for a while.
func Open(s *service.Settings) *redis.Client {
	redis.SetLogger(silent{})
	return redis.NewClient(&redis.Options{
		Addr:          s.Required("REDIS_ADDR"),
		DialTimeout:   500 * time.Millisecond,
		DialerRetries: 1,
		MaxRetries:    1,
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

// silent drops the client's own log lines, which are not structured: it returns the
// same errors to its callers, who log them.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
