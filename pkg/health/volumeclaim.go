package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// volumeClaim is ready when it is bound. Pending is never a failure: most storage
// binds only when the first pod that uses it has a node, so nothing may wait for a
// claim that is itself needed to start that pod.
func volumeClaim(obj *unstructured.Unstructured) Verdict {
	switch text(obj, "status", "phase") {
	case "Bound":
		return ready("bound")
	case "Lost":
		return failed(obj, v1alpha1.CauseUnschedulable,
			title(obj)+" lost its volume "+text(obj, "spec", "volumeName"),
			"delete the claim, or restore the volume, and deploy again")
	default:
		return progressing("waiting for a volume; it may come only when a pod asks for it")
	}
}
