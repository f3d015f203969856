package orders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// fakeStore is a Store in memory that sells tea for 8.90.
type fakeStore struct {
	orders []shop.Order
	err    error
}

func (f *fakeStore) Create(_ context.Context, sku string, quantity int) (shop.Order, error) {
	if f.err != nil {
		return shop.Order{}, f.err
	}
	if sku != "tea-green" {
		return shop.Order{}, fmt.Errorf("%w: %q", shop.ErrUnknownProduct, sku)
	}
	f.orders = append(f.orders, shop.Order{ID: int64(len(f.orders) + 1), SKU: sku, Quantity: quantity,
		TotalCents: 890 * int64(quantity), Status: shop.StatusNew, CreatedAt: noon})
	return f.orders[len(f.orders)-1], nil
}

func (f *fakeStore) Order(_ context.Context, id int64) (shop.Order, error) {
	if f.err != nil {
		return shop.Order{}, f.err
	}
	if id < 1 || id > int64(len(f.orders)) {
		return shop.Order{}, fmt.Errorf("%w: %d", shop.ErrUnknownOrder, id)
	}
	return f.orders[id-1], nil
}

// fakeQueue is a Queue in memory.
type fakeQueue struct {
	ids []int64
	err error
}

func (f *fakeQueue) Push(_ context.Context, id int64) error {
	if f.err == nil {
		f.ids = append(f.ids, id)
	}
	return f.err
}

func ask(t *testing.T, h http.Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

const twoTeas = `{"id":1,"sku":"tea-green","quantity":2,"totalCents":1780,"status":"new","createdAt":"2026-06-01T12:00:00Z"}`

func TestTakeOrder(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	tests := map[string]struct {
		body   string
		store  fakeStore
		queue  fakeQueue
		status int
		want   string
		queued []int64
	}{
		"an order is kept and queued": {
			body: `{"sku":"tea-green","quantity":2}`, status: 201, want: twoTeas, queued: []int64{1}},
		"an order is taken although the queue is away": {
			body: `{"sku":"tea-green","quantity":2}`, queue: fakeQueue{err: down}, status: 201, want: twoTeas},
		"an unknown product is refused": {
			body: `{"sku":"coffee","quantity":1}`, status: 422, want: `{"error":"no such product: \"coffee\""}`},
		"an order without a product is refused": {
			body: `{"quantity":1}`, status: 400, want: `{"error":"sku is empty; take one from the products"}`},
		"an order of nothing is refused": {
			body: `{"sku":"tea-green"}`, status: 400, want: `{"error":"quantity is 0; order 1 to 99 pieces"}`},
		"an order of too much is refused": {
			body: `{"sku":"tea-green","quantity":100}`, status: 400, want: `{"error":"quantity is 100; order 1 to 99 pieces"}`},
		"a body that is no order is refused": {
			body: `tea`, status: 400,
			want: `{"error":"the body is not an order (invalid character 'e' in literal true (expecting 'r')); send {\"sku\": \"...\", \"quantity\": 1}"}`},
		"a store that is away is the shop's problem": {
			body: `{"sku":"tea-green","quantity":2}`, store: fakeStore{err: down}, status: 503,
			want: `{"error":"cannot take the order now; try again"}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := NewHandler(&tc.store, &tc.queue, slog.New(slog.DiscardHandler))
			status, body := ask(t, h, http.MethodPost, "/orders", tc.body)
			if status != tc.status || body != tc.want {
				t.Errorf("POST /orders %s answered\n%d %s, want\n%d %s", tc.body, status, body, tc.status, tc.want)
			}
			if diff := cmp.Diff(tc.queued, tc.queue.ids); diff != "" {
				t.Errorf("queued orders differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShowOrder(t *testing.T) {
	t.Parallel()
	one := []shop.Order{{ID: 1, SKU: "tea-green", Quantity: 2, TotalCents: 1780, Status: shop.StatusNew, CreatedAt: noon}}
	tests := map[string]struct {
		path   string
		store  fakeStore
		status int
		want   string
	}{
		"an order is found by its id":      {path: "/orders/1", store: fakeStore{orders: one}, status: 200, want: twoTeas},
		"an order that is none is unknown": {path: "/orders/7", status: 404, want: `{"error":"no such order: 7"}`},
		"an id is a number":                {path: "/orders/x", status: 400, want: `{"error":"order id \"x\" is not a number"}`},
		"a store that is away is the shop's problem": {
			path: "/orders/1", store: fakeStore{err: errors.New("connection refused")}, status: 503,
			want: `{"error":"cannot find the order now; try again"}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := NewHandler(&tc.store, &fakeQueue{}, slog.New(slog.DiscardHandler))
			status, body := ask(t, h, http.MethodGet, tc.path, "")
			if status != tc.status || body != tc.want {
				t.Errorf("GET %s answered\n%d %s, want\n%d %s", tc.path, status, body, tc.status, tc.want)
			}
		})
	}
}

func TestRunRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want string
	}{
		"serving needs a database":     {want: "DB_HOST is not set"},
		"a migration needs a database": {args: []string{"migrate"}, want: "DB_HOST is not set"},
		"there is one command only":    {args: []string{"rollback"}, want: "the only command is `migrate`"},
		"the command takes nothing":    {args: []string{"migrate", "now"}, want: "the only command is `migrate`"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			none := service.NewSettings(func(string) (string, bool) { return "", false })
			err := Run(t.Context(), &service.Process{Args: tc.args, Settings: none, Log: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run(%q) = %v, want %q in it", tc.args, err, tc.want)
			}
		})
	}
}
