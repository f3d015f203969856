package database

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/service"
)

func from(values map[string]string) *service.Settings {
	return service.NewSettings(func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	})
}

func TestURL(t *testing.T) {
	t.Parallel()
	const options = "?connect_timeout=5&pool_max_conns=4&sslmode=disable"
	tests := map[string]struct {
		settings map[string]string
		want     string
	}{
		"host and password are enough": {
			settings: map[string]string{"DB_HOST": "postgres", "DB_PASSWORD": "s3"},
			want:     "postgres://shop:s3@postgres:5432/shop" + options},
		"every part can be set": {
			settings: map[string]string{"DB_HOST": "10.0.0.7", "DB_PORT": "6432", "DB_NAME": "tea", "DB_USER": "ann", "DB_PASSWORD": "s3"},
			want:     "postgres://ann:s3@10.0.0.7:6432/tea" + options},
		"a password may hold characters that mean something in a URL": {
			settings: map[string]string{"DB_HOST": "postgres", "DB_PASSWORD": "a@b:c/d?e"},
			want:     "postgres://shop:a%40b%3Ac%2Fd%3Fe@postgres:5432/shop" + options},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, URL(from(tc.settings))); diff != "" {
				t.Errorf("URL() differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOpenNamesMissingSettings(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), from(nil))
	if err == nil || !strings.Contains(err.Error(), "DB_HOST") || !strings.Contains(err.Error(), "DB_PASSWORD") {
		t.Errorf("Open() = %v, want it to name DB_HOST and DB_PASSWORD", err)
	}
}

func TestOpenDoesNotConnect(t *testing.T) {
	t.Parallel()
	pool, err := Open(t.Context(), from(map[string]string{"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_PASSWORD": "s3"}))
	if err != nil {
		t.Fatalf("Open() = %v, want no error before the first use", err)
	}
	defer pool.Close()
	if err := Check(pool, "orders").Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "table orders") {
		t.Errorf("check without a database = %v, want an error that names the table", err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	starting := errors.New("the database system is starting up")
	t.Run("it asks until the database answers", func(t *testing.T) {
		t.Parallel()
		asked := 0
		err := Wait(t.Context(), func(context.Context) error {
			if asked++; asked < 3 {
				return starting
			}
			return nil
		}, time.Millisecond)
		if err != nil || asked != 3 {
			t.Errorf("Wait() = %v after %d questions, want nil after 3", err, asked)
		}
	})
	t.Run("it gives up with the last error when its time is over", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Wait(ctx, func(context.Context) error { return starting }, time.Hour); !errors.Is(err, starting) {
			t.Errorf("Wait() = %v, want %v", err, starting)
		}
	})
}
