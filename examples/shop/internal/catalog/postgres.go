package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/shop/internal/shop"
)

// Postgres is the Store in the shop's database.
type Postgres struct{ pool *pgxpool.Pool }

// NewPostgres uses pool, which stays the caller's.
func NewPostgres(pool *pgxpool.Pool) *Postgres { return &Postgres{pool: pool} }

// Products implements Store.
func (p *Postgres) Products(ctx context.Context) ([]shop.Product, error) {
	rows, err := p.pool.Query(ctx, `SELECT sku, name, description, price_cents FROM products ORDER BY name, sku`)
	if err != nil {
		return nil, fmt.Errorf("select products: %w", err)
	}
	products, err := pgx.CollectRows(rows, pgx.RowToStructByPos[shop.Product])
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return products, nil
}
