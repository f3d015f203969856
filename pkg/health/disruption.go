package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// disruptionBudget is ready when as many pods are healthy as it protects.
func disruptionBudget(obj *unstructured.Unstructured) Verdict {
	healthy, want := count(obj, "status", "currentHealthy"), count(obj, "status", "desiredHealthy")
	if healthy < want {
		return progressing("%d of the %d pods that %s protects are healthy", healthy, want, title(obj))
	}
	return ready("its budget is met")
}
