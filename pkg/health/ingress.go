package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// ingress is ready once it is written: many ingress controllers serve a rule without
// ever reporting an address, so the absence of one means nothing.
func ingress(obj *unstructured.Unstructured) Verdict {
	if address := balancerAddress(obj); address != "" {
		return ready("served at %s", address)
	}
	return ready("in force")
}
