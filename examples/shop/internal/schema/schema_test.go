package schema

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMigrateSaysWhatItWasDoing(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://shop@127.0.0.1:1/shop")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := Migrate(t.Context(), pool); err == nil || !strings.Contains(err.Error(), "migrate the database") {
		t.Errorf("Migrate() without a database = %v, want an error that says what was being done", err)
	}
}

func TestStatementsMayRunTwice(t *testing.T) {
	t.Parallel()
	for _, create := range regexp.MustCompile(`CREATE \w+.*`).FindAllString(statements, -1) {
		if !strings.Contains(create, "IF NOT EXISTS") {
			t.Errorf("the second migration would fail at %q; add IF NOT EXISTS", create)
		}
	}
	if inserts, handled := strings.Count(statements, "INSERT INTO"), strings.Count(statements, "ON CONFLICT"); inserts != handled {
		t.Errorf("%d of %d INSERTs say what to do ON CONFLICT, want all", handled, inserts)
	}
}
