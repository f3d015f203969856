// Package database opens the shop's PostgreSQL.
package database

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/shop/internal/service"
)

// URL reads the address of the database from DB_HOST, DB_PORT, DB_NAME, DB_USER,
// DB_PASSWORD and DB_SSLMODE.
func URL(s *service.Settings) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(s.String("DB_USER", "shop"), s.Required("DB_PASSWORD")),
		Host:   net.JoinHostPort(s.Required("DB_HOST"), s.String("DB_PORT", "5432")),
		Path:   "/" + s.String("DB_NAME", "shop"),
		RawQuery: url.Values{
			"sslmode":         {s.String("DB_SSLMODE", "disable")},
			"connect_timeout": {"5"},
			"pool_max_conns":  {"4"},
		}.Encode(),
	}
	return u.String()
}

// Open makes a pool. It connects when it is first used, so a process can start before
// the database does and say so on its health check.
func Open(ctx context.Context, s *service.Settings) (*pgxpool.Pool, error) {
	address := URL(s)
	if err := s.Err(); err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return pool, nil
}

// Check says whether the database holds a table, which it does once it was migrated.
func Check(pool *pgxpool.Pool, table string) service.Check {
	return service.Check{Name: "postgres", Probe: func(ctx context.Context) error {
		var found bool
		if err := pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&found); err != nil {
			return fmt.Errorf("ask the database for table %s: %w", table, err)
		}
		if !found {
			return fmt.Errorf("the database has no table %s yet; run `orders migrate`", table)
		}
		return nil
	}}
}

// Wait returns when the database answers, or with its last error when ctx ends.
func Wait(ctx context.Context, ping func(context.Context) error, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the database: %w", err)
		case <-tick.C:
		}
	}
}
