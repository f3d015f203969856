package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/service"
)

// fakeServices is catalog and orders in one server; what it was asked for is in asked.
type fakeServices struct{ asked []string }

func (f *fakeServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
	if r.URL.Path == "/products" {
		_, _ = io.WriteString(w, `[{"sku":"tea-green","name":"Green <b>tea</b>","description":"Sencha.","priceCents":890}]`)
		return
	}
	w.WriteHeader(http.StatusTeapot)
	_, _ = io.WriteString(w, `{"error":"short and stout"}`)
}

func newShop(t *testing.T, address string) http.Handler {
	t.Helper()
	config := Config{Title: "Tea & more", Environment: "review-7", Currency: "€", Catalog: address, Orders: address}
	h, err := NewHandler(config, http.DefaultClient, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("NewHandler(%+v) = %v", config, err)
	}
	return h
}

func ask(t *testing.T, h http.Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestAPIIsForwarded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, path, body string
		status             int
		asked              []string
	}{
		"products come from the catalog": {
			method: "GET", path: "/api/products", status: 200, asked: []string{"GET /products"}},
		"an order goes to orders with its body": {
			method: "POST", path: "/api/orders", body: `{"sku":"x"}`, status: 418, asked: []string{`POST /orders {"sku":"x"}`}},
		"the answer of a service is passed on as it is": {
			method: "GET", path: "/api/orders/7", status: 418, asked: []string{"GET /orders/7"}},
		"nothing else is forwarded":           {method: "GET", path: "/api/healthz", status: 404},
		"only what is allowed is forwarded":   {method: "DELETE", path: "/api/orders/7", status: 405},
		"a page that is none is not the home": {method: "GET", path: "/none", status: 404},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := &fakeServices{}
			backend := httptest.NewServer(services)
			defer backend.Close()
			status, body := ask(t, newShop(t, backend.URL), tc.method, tc.path, tc.body)
			if status != tc.status {
				t.Errorf("%s %s answered %d %s, want %d", tc.method, tc.path, status, body, tc.status)
			}
			if diff := cmp.Diff(tc.asked, services.asked); diff != "" {
				t.Errorf("requests to the services differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(&fakeServices{})
	defer backend.Close()
	status, body := ask(t, newShop(t, backend.URL), http.MethodGet, "/", "")
	if status != http.StatusOK {
		t.Fatalf("GET / answered %d, want 200:\n%s", status, body)
	}
	for _, want := range []string{"<title>Tea &amp; more</title>", "Green &lt;b&gt;tea&lt;/b&gt;", "€ 8.90", `data-sku="tea-green"`, "environment review-7"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
}

func TestShopWithoutItsServices(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	h := newShop(t, gone.URL)
	for path, want := range map[string]string{
		"/":             "The shelves cannot be shown right now.",
		"/api/products": `{"error":"catalog does not answer; try again"}`,
		"/api/orders/1": `{"error":"orders does not answer; try again"}`,
	} {
		status, body := ask(t, h, http.MethodGet, path, "")
		if status != http.StatusBadGateway || !strings.Contains(body, want) {
			t.Errorf("GET %s answered %d %s, want 502 with %s", path, status, body, want)
		}
	}
	if err := reachable(http.DefaultClient, gone.URL)(t.Context()); err == nil {
		t.Error("a service that is gone is reachable, want an error")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	status, body := ask(t, newShop(t, "http://catalog:8080"), http.MethodGet, "/version", "")
	if want := `{"commit":"` + service.Commit() + `"}`; status != http.StatusOK || body != want {
		t.Errorf("GET /version answered %d %s, want 200 %s", status, body, want)
	}
}

func TestReachableWantsAHealthyService(t *testing.T) {
	t.Parallel()
	for status, healthy := range map[int]bool{200: true, 404: false, 503: false} {
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		err := reachable(backend.Client(), backend.URL)(t.Context())
		backend.Close()
		if (err == nil) != healthy {
			t.Errorf("a service that answers %d: %v, want healthy: %t", status, err, healthy)
		}
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file     string
		settings map[string]string
		want     Config
		wantErr  string
	}{
		"the file says everything": {
			file: "title: Tea\ncurrency: CHF\ncatalog: http://c:1\norders: http://o:1\n",
			want: Config{Title: "Tea", Currency: "CHF", Catalog: "http://c:1", Orders: "http://o:1"}},
		"the environment is stronger than the file": {
			file:     "title: Tea\ncatalog: http://c:1\norders: http://o:1\n",
			settings: map[string]string{"CATALOG_URL": "http://c:2"},
			want:     Config{Title: "Tea", Currency: "€", Catalog: "http://c:2", Orders: "http://o:1"}},
		"no file is needed when the environment has the addresses": {
			settings: map[string]string{"CATALOG_URL": "http://c:2", "ORDERS_URL": "http://o:2"},
			want:     Config{Title: "The shop", Currency: "€", Catalog: "http://c:2", Orders: "http://o:2"}},
		"an address that nobody sets is named": {
			settings: map[string]string{"CATALOG_URL": "http://c:2"}, wantErr: "the address of orders is not set"},
		"a setting that is misspelled is refused": {file: "titel: Tea\n", wantErr: "titel"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "web.yaml")
			if tc.file != "" {
				if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := ReadConfig(service.NewSettings(func(name string) (string, bool) {
				if name == "CONFIG_FILE" {
					return path, true
				}
				v, ok := tc.settings[name]
				return v, ok
			}))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("ReadConfig() = %v, want %q in the error", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatalf("ReadConfig() = %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("config differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandlerRefusesAnAddressWithoutAHost(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"catalog:8080", "catalog", "://", "/products"} {
		_, err := NewHandler(Config{Catalog: address, Orders: "http://o:1"}, http.DefaultClient, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "the address of catalog") {
			t.Errorf("NewHandler with catalog at %q = %v, want an error that names the catalog", address, err)
		}
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for cents, want := range map[int64]string{5: "0.05", 890: "8.90", 123456: "1234.56"} {
		if got := price(cents); got != want {
			t.Errorf("price(%d) = %s, want %s", cents, got, want)
		}
	}
}
