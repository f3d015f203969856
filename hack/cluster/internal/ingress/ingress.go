// Package ingress holds the manifests of the cluster's ingress controller.
package ingress

import (
	_ "embed"
	"strconv"
	"strings"

	"spock.dev/spock/hack/cluster/internal/content"
	"spock.dev/spock/hack/cluster/internal/plan"
)

// Namespace is where the controller runs.
const Namespace = "ingress"

//go:embed ingress.yaml
var manifest string

// Manifest returns the objects for one cluster.
func Manifest(p plan.Plan) string {
	return strings.NewReplacer("@IMAGE@", content.Ingress, "@PORT@", strconv.Itoa(p.IngressPort())).Replace(manifest)
}
