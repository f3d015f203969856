// Package catalog answers what the shop sells: from the cache while that is fresh,
// else from the database.
package catalog

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"example.com/shop/internal/cache"
	"example.com/shop/internal/database"
	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

// Store knows the products.
type Store interface {
	// Products returns all products in the order in which they are shown.
	Products(ctx context.Context) ([]shop.Product, error)
}

// Cache remembers the products for a while.
type Cache interface {
	// Load returns the products, or false when it remembers none.
	Load(ctx context.Context) ([]shop.Product, bool, error)
	// Save remembers the products.
	Save(ctx context.Context, products []shop.Product) error
}

// Run serves the catalog until ctx ends.
func Run(ctx context.Context, p *service.Process) error {
	pool, err := database.Open(ctx, p.Settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := cache.Open(p.Settings)
	defer client.Close()

	ttl := p.Settings.Duration("CACHE_TTL", 30*time.Second)
	h := NewHandler(NewPostgres(pool), NewRedis(client, ttl), p.Log)
	return p.Serve(ctx, h, database.Check(pool, "products"), cache.Check(client))
}

// Handler serves GET /products.
type Handler struct {
	store Store
	cache Cache
	log   *slog.Logger
}

// NewHandler makes the HTTP side of the catalog.
func NewHandler(store Store, cache Cache, log *slog.Logger) http.Handler {
	h := &Handler{store: store, cache: cache, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", h.products)
	return mux
}

func (h *Handler) products(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	products, hit, err := h.cache.Load(ctx)
	if err != nil {
		h.log.WarnContext(ctx, "answer without the cache", "error", err.Error())
	}
	if hit {
		w.Header().Set("X-Cache", "hit")
		service.WriteJSON(w, http.StatusOK, products)
		return
	}
	products, err = h.store.Products(ctx)
	if err != nil {
		h.log.ErrorContext(ctx, "list products", "error", err.Error())
		service.WriteProblem(w, http.StatusServiceUnavailable, "the catalog cannot be read now; try again")
		return
	}
	if err := h.cache.Save(ctx, products); err != nil {
		h.log.WarnContext(ctx, "keep products in the cache", "error", err.Error())
	}
	w.Header().Set("X-Cache", "miss")
	service.WriteJSON(w, http.StatusOK, products)
}
