package packing

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Postgres is the Store in the shop's database.
type Postgres struct{ pool *pgxpool.Pool }

// NewPostgres uses pool, which stays the caller's.
func NewPostgres(pool *pgxpool.Pool) *Postgres { return &Postgres{pool: pool} }

// Pack implements Store.
func (p *Postgres) Pack(ctx context.Context, id int64) (bool, error) {
	tag, err := p.pool.Exec(ctx,
		`UPDATE orders SET status = 'packed', packed_at = now() WHERE id = $1 AND status = 'new'`, id)
	if err != nil {
		return false, fmt.Errorf("mark order %d as packed: %w", id, err)
	}
	return tag.RowsAffected() == 1, nil
}

// PackForgotten implements Store.
func (p *Postgres) PackForgotten(ctx context.Context, age time.Duration) (int64, error) {
	tag, err := p.pool.Exec(ctx,
		`UPDATE orders SET status = 'packed', packed_at = now()
		 WHERE status = 'new' AND created_at < now() - make_interval(secs => $1)`, age.Seconds())
	if err != nil {
		return 0, fmt.Errorf("mark orders older than %s as packed: %w", age, err)
	}
	return tag.RowsAffected(), nil
}
