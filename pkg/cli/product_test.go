package cli

import (
	"strings"
	"testing"
)

const shopFiles = "../../examples/shop/spock"

func TestProductCommandsOnFiles(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"product-validate":       {"validate", "-f", shopFiles},
		"product-graph":          {"graph", "shop", "-f", shopFiles},
		"product-graph-dot":      {"graph", "shop", "-f", shopFiles, "-o", "dot"},
		"product-graph-json":     {"graph", "shop", "-f", shopFiles, "-o", "json"},
		"product-graph-format":   {"graph", "shop", "-f", shopFiles, "-o", "svg"},
		"product-render":         {"render", "shop", "-f", shopFiles, "--service", "redis"},
		"product-render-unknown": {"render", "shop", "-f", shopFiles, "--service", "redi"},
		"product-unknown":        {"render", "shoop", "-f", shopFiles},
		"product-no-file":        {"validate", "-f", "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t).run(append([]string{"product"}, args...)...).golden(t, name)
		})
	}
}

func TestAWrongProductIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stdin = `
apiVersion: spock.dev/v1alpha1
kind: ServiceTemplate
metadata: {name: web}
spec:
  parameters: [{name: greeting, type: string}]
  container:
    args: ["${params.greting}"]
---
apiVersion: spock.dev/v1alpha1
kind: Product
metadata: {name: hello}
spec:
  groups:
    - name: frontend
      services:
        - {name: web, template: web}
        - {name: admin, template: wep}
---
apiVersion: spock.dev/v1alpha1
kind: Product
metadata: {name: well}
spec:
  groups: [{name: frontend, services: [{name: web, template: other}]}]
`
	w.run("product", "validate", "-f", "-").golden(t, "product-validate-wrong")
	w.stdin = strings.Replace(w.stdin, "template: wep", "tempate: wep", 1)
	w.run("product", "validate", "-f", "-").golden(t, "product-validate-unreadable")
}
