package web

import (
	"bytes"
	"context"
	_ "embed" // the page travels in the binary
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"price": price}).Parse(pageSource))

// page is the shop for people.
type page struct {
	config Config
	client *http.Client
	log    *slog.Logger
}

// view is what the page shows.
type view struct {
	Config
	Products []shop.Product
	// Closed is set when the products are not to be had now.
	Closed bool
	Commit string
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := view{Config: p.config, Commit: service.Commit()}
	status := http.StatusOK
	products, err := p.products(r.Context())
	if err != nil {
		p.log.ErrorContext(r.Context(), "show the products", "error", err.Error())
		v.Closed, status = true, http.StatusBadGateway
	}
	v.Products = products

	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, v); err != nil {
		p.log.ErrorContext(r.Context(), "make the page", "error", err.Error())
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// The status is out: when the client is gone there is nobody left to tell.
	_, _ = w.Write(out.Bytes())
}

func (p *page) products(ctx context.Context) ([]shop.Product, error) {
	res, err := get(ctx, p.client, p.config.Catalog+"/products")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var products []shop.Product
	if err := json.NewDecoder(res.Body).Decode(&products); err != nil {
		return nil, fmt.Errorf("read the catalog's answer: %w", err)
	}
	return products, nil
}

// price writes cents with two decimals.
func price(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
