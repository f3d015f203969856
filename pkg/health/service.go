package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// service is ready once it is written, except that one of type LoadBalancer needs the
// address it was asked for. Whether anybody answers behind it is the workload's affair.
func service(obj *unstructured.Unstructured) Verdict {
	if text(obj, "spec", "type") != "LoadBalancer" {
		return ready("in force")
	}
	if address := balancerAddress(obj); address != "" {
		return ready("reachable at %s", address)
	}
	return progressing("%s waits for the address of its load balancer", title(obj))
}

// balancerAddress is the first address or host name of status.loadBalancer.
func balancerAddress(obj *unstructured.Unstructured) string {
	value, _, _ := unstructured.NestedFieldNoCopy(obj.Object, "status", "loadBalancer", "ingress")
	entries, _ := value.([]any)
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		for _, key := range []string{"hostname", "ip"} {
			if address, _ := fields[key].(string); address != "" {
				return address
			}
		}
	}
	return ""
}
