// Package web is the public face of the shop: a page for people and an API, both made
// of what catalog and orders say.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.com/shop/internal/service"
)

// Run serves the shop until ctx ends.
func Run(ctx context.Context, p *service.Process) error {
	config, err := ReadConfig(p.Settings)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 5 * time.Second}
	h, err := NewHandler(config, client, p.Log)
	if err != nil {
		return err
	}
	return p.Serve(ctx, h,
		service.Check{Name: "catalog", Probe: reachable(client, config.Catalog)},
		service.Check{Name: "orders", Probe: reachable(client, config.Orders)})
}

// NewHandler serves the page, the API and the version.
func NewHandler(config Config, client *http.Client, log *slog.Logger) (http.Handler, error) {
	catalog, err := address("catalog", config.Catalog)
	if err != nil {
		return nil, err
	}
	orders, err := address("orders", config.Orders)
	if err != nil {
		return nil, err
	}
	page := &page{config: config, client: client, log: log}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.Handle("GET /api/products", forward("catalog", catalog, log))
	mux.Handle("POST /api/orders", forward("orders", orders, log))
	mux.Handle("GET /api/orders/{id}", forward("orders", orders, log))
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		service.WriteJSON(w, http.StatusOK, map[string]string{"commit": service.Commit()})
	})
	return mux, nil
}

func address(name, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read the address of %s: %w", name, err)
	}
	if u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("the address of %s is %q; write it as http://host:port", name, raw)
	}
	return u, nil
}

// reachable asks a service whether it can serve.
func reachable(client *http.Client, base string) func(context.Context) error {
	return func(ctx context.Context) error {
		res, err := get(ctx, client, base+"/healthz")
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
}

// get returns the answer of a GET, which is an error unless it is 200. The caller
// closes its body.
func get(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("GET %s answered %s", address, res.Status)
	}
	return res, nil
}
