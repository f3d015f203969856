package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/shop/internal/shop"
)

// columns of an order, in the order of shop.Order's fields.
const columns = `id, sku, quantity, total_cents, status, created_at, packed_at`

// Postgres is the Store in the shop's database.
type Postgres struct{ pool *pgxpool.Pool }

// NewPostgres uses pool, which stays the caller's.
func NewPostgres(pool *pgxpool.Pool) *Postgres { return &Postgres{pool: pool} }

// Create implements Store. The price is the product's at this moment.
func (p *Postgres) Create(ctx context.Context, sku string, quantity int) (shop.Order, error) {
	const insert = `INSERT INTO orders (sku, quantity, total_cents)
		SELECT sku, $2::integer, price_cents * $2::integer FROM products WHERE sku = $1
		RETURNING ` + columns
	order, err := p.one(ctx, insert, sku, quantity)
	if errors.Is(err, pgx.ErrNoRows) {
		return shop.Order{}, fmt.Errorf("%w: %q", shop.ErrUnknownProduct, sku)
	}
	if err != nil {
		return shop.Order{}, fmt.Errorf("insert an order of %q: %w", sku, err)
	}
	return order, nil
}

// Order implements Store.
func (p *Postgres) Order(ctx context.Context, id int64) (shop.Order, error) {
	order, err := p.one(ctx, `SELECT `+columns+` FROM orders WHERE id = $1`, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return shop.Order{}, fmt.Errorf("%w: %d", shop.ErrUnknownOrder, id)
	}
	if err != nil {
		return shop.Order{}, fmt.Errorf("select order %d: %w", id, err)
	}
	return order, nil
}

func (p *Postgres) one(ctx context.Context, sql string, args ...any) (shop.Order, error) {
	rows, err := p.pool.Query(ctx, sql, args...)
	if err != nil {
		return shop.Order{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[shop.Order])
}
