package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

// fakeStore is a Store in memory.
type fakeStore struct {
	products []shop.Product
	err      error
	asked    int
}

func (f *fakeStore) Products(context.Context) ([]shop.Product, error) {
	f.asked++
	return f.products, f.err
}

// fakeCache is a Cache in memory that forgets nothing.
type fakeCache struct {
	products []shop.Product
	err      error
}

func (f *fakeCache) Load(context.Context) ([]shop.Product, bool, error) {
	return f.products, f.products != nil && f.err == nil, f.err
}

func (f *fakeCache) Save(_ context.Context, products []shop.Product) error {
	f.products = products
	return f.err
}

var green = shop.Product{SKU: "tea-green", Name: "Green tea", Description: "Sencha.", PriceCents: 890}

func ask(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestProducts(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	tests := map[string]struct {
		store  *fakeStore
		cache  *fakeCache
		status int
		xcache string
		asked  int // how often the store is asked by two requests
		want   []shop.Product
	}{
		"the second request is answered from the cache": {
			store: &fakeStore{products: []shop.Product{green}}, cache: &fakeCache{},
			status: 200, xcache: "hit", asked: 1, want: []shop.Product{green}},
		"without a cache the store answers": {
			store: &fakeStore{products: []shop.Product{green}}, cache: &fakeCache{err: down},
			status: 200, xcache: "miss", asked: 2, want: []shop.Product{green}},
		"without the store a filled cache answers": {
			store: &fakeStore{err: down}, cache: &fakeCache{products: []shop.Product{green}},
			status: 200, xcache: "hit", asked: 0, want: []shop.Product{green}},
		"without both the caller is told to try again": {
			store: &fakeStore{err: down}, cache: &fakeCache{}, status: 503, asked: 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := NewHandler(tc.store, tc.cache, slog.New(slog.DiscardHandler))
			ask(t, h, "/products")
			w := ask(t, h, "/products")
			if w.Code != tc.status || w.Header().Get("X-Cache") != tc.xcache || tc.store.asked != tc.asked {
				t.Fatalf("answered %d (cache %q, store asked %d times), want %d (%q, %d): %s", w.Code,
					w.Header().Get("X-Cache"), tc.store.asked, tc.status, tc.xcache, tc.asked, w.Body)
			}
			if tc.status != 200 {
				return
			}
			var got []shop.Product
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("the answer is not a list of products: %v\n%s", err, w.Body)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("products differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	if _, err := decode([]byte("[{")); err == nil || !strings.Contains(err.Error(), productsKey) {
		t.Errorf("decode of half a list = %v, want an error that names %s", err, productsKey)
	}
}

func TestRunRefusesToStartWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	none := service.NewSettings(func(string) (string, bool) { return "", false })
	err := Run(t.Context(), &service.Process{Settings: none, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "DB_HOST is not set") {
		t.Errorf("Run() = %v, want it to name DB_HOST", err)
	}
}
