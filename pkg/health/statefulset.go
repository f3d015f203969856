package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// statefulSet is ready when every wanted pod exists, is available and, unless the
// spec says that somebody else rolls them, is of the newest revision.
func statefulSet(obj *unstructured.Unstructured) Verdict {
	want := wanted(obj, 1, "spec", "replicas")
	all := count(obj, "status", "replicas")
	if rolling := statefulRollout(obj, want); rolling.State != Ready {
		return rolling
	}
	available := min(count(obj, "status", "readyReplicas"), count(obj, "status", "availableReplicas"))
	switch {
	case all < want:
		return progressing("%d of %d pods exist", all, want)
	case available < want:
		return progressing("%d of %d pods are ready", available, want)
	case all > want:
		return progressing("%s more than wanted still to go", podCount(all-want))
	case want == 0:
		return ready("scaled to zero pods, as asked")
	default:
		return ready("%d of %d pods are ready", available, want)
	}
}

// statefulRollout judges how far the newest revision has come. Pods below the
// partition keep the older one on purpose, and with OnDelete all of them may.
func statefulRollout(obj *unstructured.Unstructured, want int64) Verdict {
	if text(obj, "spec", "updateStrategy", "type") == "OnDelete" {
		return ready("pods change only when they are deleted")
	}
	partition := count(obj, "spec", "updateStrategy", "rollingUpdate", "partition")
	updated := count(obj, "status", "updatedReplicas")
	current, update := text(obj, "status", "currentRevision"), text(obj, "status", "updateRevision")
	switch {
	case updated < max(want-partition, 0):
		return progressing("%d of %d pods run the new version", updated, want-partition)
	case partition == 0 && current != update:
		return progressing("the new version runs everywhere; the old one is being closed")
	default:
		return ready("the new version runs")
	}
}
