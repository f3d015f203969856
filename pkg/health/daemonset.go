package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// daemonSet is ready when every node that should run it has an available pod of the
// newest version. With OnDelete pods keep their version until somebody deletes them.
func daemonSet(obj *unstructured.Unstructured) Verdict {
	want := count(obj, "status", "desiredNumberScheduled")
	updated := count(obj, "status", "updatedNumberScheduled")
	available := count(obj, "status", "numberAvailable")
	onDelete := text(obj, "spec", "updateStrategy", "type") == "OnDelete"
	switch {
	case updated < want && !onDelete:
		return progressing("%d of %d nodes run the new version", updated, want)
	case available < want:
		return progressing("%d of %d nodes have a ready pod", available, want)
	case want == 0:
		return ready("no node is meant to run it")
	default:
		return ready("%d of %d nodes have a ready pod", available, want)
	}
}
