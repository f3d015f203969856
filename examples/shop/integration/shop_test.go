//go:build integration

// Package integration uses a running shop as a customer does: through its public URL
// and nothing else.
//
//	SPOCK_URL          the public URL of the shop
//	SPOCK_ENVIRONMENT  the environment's name, for the messages
//	SPOCK_INGRESS      host:port to connect to instead of the URL's own host, for
//	                   machines whose DNS does not know the URL
package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// packingTime is how long an order may take. It is shorter than the time after which
// the worker looks for forgotten orders, so a test passes only when the queue works.
const packingTime = 20 * time.Second

type product struct {
	SKU        string `json:"sku"`
	Name       string `json:"name"`
	PriceCents int64  `json:"priceCents"`
}

type order struct {
	ID         int64  `json:"id"`
	SKU        string `json:"sku"`
	Quantity   int    `json:"quantity"`
	TotalCents int64  `json:"totalCents"`
	Status     string `json:"status"`
}

func TestProductsAreOnThePage(t *testing.T) {
	t.Parallel()
	c := open(t)
	page := c.page("/")
	for _, p := range products(t, c) {
		if !strings.Contains(page, p.Name) || !strings.Contains(page, `data-sku="`+p.SKU+`"`) {
			t.Errorf("the page lacks %s (%s):\n%s", p.Name, p.SKU, page)
		}
	}
}

func TestOrderIsFoundAgainAndPacked(t *testing.T) {
	t.Parallel()
	c := open(t)
	wanted := products(t, c)[0]

	var taken order
	c.want(http.StatusCreated, &taken, http.MethodPost, "/api/orders", fmt.Sprintf(`{"sku":%q,"quantity":3}`, wanted.SKU))
	if taken.ID == 0 || taken.SKU != wanted.SKU || taken.Quantity != 3 || taken.TotalCents != 3*wanted.PriceCents {
		t.Fatalf("ordered 3 of %+v, the shop took %+v", wanted, taken)
	}

	path := fmt.Sprintf("/api/orders/%d", taken.ID)
	var found order
	c.until(packingTime, func() bool {
		c.want(http.StatusOK, &found, http.MethodGet, path, "")
		return found.Status == "packed"
	}, func() string { return fmt.Sprintf("order %d is not packed: %+v", taken.ID, found) })
	if taken.Status = "packed"; found != taken {
		t.Errorf("found order %+v, want %+v", found, taken)
	}
}

func TestMistakesAreRefused(t *testing.T) {
	t.Parallel()
	c := open(t)
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"a product that is not sold":   {http.MethodPost, "/api/orders", `{"sku":"coffee","quantity":1}`, http.StatusUnprocessableEntity},
		"an order of nothing":          {http.MethodPost, "/api/orders", `{"sku":"tea-green","quantity":0}`, http.StatusBadRequest},
		"an order that was never made": {http.MethodGet, "/api/orders/0", "", http.StatusNotFound},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var problem struct{ Error string }
			c.on(t).want(tc.status, &problem, tc.method, tc.path, tc.body)
			if problem.Error == "" {
				t.Error("the answer does not say what is wrong")
			}
		})
	}
}

func TestVersionIsKnown(t *testing.T) {
	t.Parallel()
	var version struct{ Commit string }
	open(t).want(http.StatusOK, &version, http.MethodGet, "/version", "")
	if version.Commit == "" {
		t.Error("the shop does not say which commit it was built from")
	}
}

func products(t *testing.T, c *customer) []product {
	t.Helper()
	var all []product
	c.want(http.StatusOK, &all, http.MethodGet, "/api/products", "")
	if len(all) == 0 {
		t.Fatal("the shop sells nothing")
	}
	return all
}
