package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"go.yaml.in/yaml/v3"

	"example.com/shop/internal/service"
)

// Config is how the shop looks and where its services are.
type Config struct {
	// Title of the page.
	Title string `yaml:"title"`
	// Currency of the prices, a symbol.
	Currency string `yaml:"currency"`
	// Environment the shop runs in, shown on the page.
	Environment string `yaml:"environment"`
	// Catalog is the URL of the catalog service.
	Catalog string `yaml:"catalog"`
	// Orders is the URL of the orders service.
	Orders string `yaml:"orders"`
}

// ReadConfig reads the file named by CONFIG_FILE, which may be absent, and then lets
// CATALOG_URL and ORDERS_URL replace what it says.
func ReadConfig(s *service.Settings) (Config, error) {
	path := s.String("CONFIG_FILE", "/etc/shop/web.yaml")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("read the config: %w", err)
	}
	c := Config{Title: "The shop", Currency: "€"}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("read the config %s: %w", path, err)
	}
	c.Catalog = s.String("CATALOG_URL", c.Catalog)
	c.Orders = s.String("ORDERS_URL", c.Orders)
	return c, c.check(path)
}

func (c Config) check(path string) error {
	for name, value := range map[string]string{"catalog": c.Catalog, "orders": c.Orders} {
		if value == "" {
			return fmt.Errorf("the address of %s is not set; write `%s:` in %s or set its variable", name, name, path)
		}
	}
	return nil
}
