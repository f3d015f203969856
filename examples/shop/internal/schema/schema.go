// Package schema brings the database to the tables and products that the shop needs. Only
// orders has it: a change of the schema leaves the binaries of the others as they are.
package schema

import (
	"context"
	_ "embed" // the schema travels in the binary
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statements may be applied to an empty database and to one that has it all already.
//
//go:embed schema.sql
var statements string

// migrationLock is an arbitrary number that all migrations of the shop agree on.
const migrationLock = 7_740_001

// Migrate brings the database to the shop's schema and products. Several may run at
// once: they take turns.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock); err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		_, err := tx.Exec(ctx, statements)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}
