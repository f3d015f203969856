package health

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// deployment is ready when every wanted pod is of the newest version and available,
// and no pod of an older version is left.
func deployment(obj *unstructured.Unstructured) Verdict {
	verdict := deploymentProgress(obj)
	if verdict.State == Ready {
		return verdict
	}
	refused, _ := conditionOf(obj, "ReplicaFailure")
	if cause := creationFailure(obj, refused); cause != nil {
		return Verdict{State: Failed, Message: cause.Message, Cause: cause}
	}
	if refused.isTrue() {
		verdict.Message += "; the next one cannot be created yet: " + refused.said("no reason given")
	}
	if !deadlineExceeded(obj) {
		return verdict
	}
	return failed(obj, v1alpha1.CauseNoProgress,
		fmt.Sprintf("%s made no progress for %d seconds: %s", title(obj),
			wanted(obj, 600, "spec", "progressDeadlineSeconds"), verdict.Message),
		"read the events and the log of its newest pod; raise progressDeadlineSeconds only when the service is slow by nature")
}

func deploymentProgress(obj *unstructured.Unstructured) Verdict {
	want := wanted(obj, 1, "spec", "replicas")
	all := count(obj, "status", "replicas")
	updated := count(obj, "status", "updatedReplicas")
	available := count(obj, "status", "availableReplicas")
	switch {
	case updated < want:
		return progressing("%d of %d pods run the new version", updated, want)
	case all > updated:
		return progressing("%s of the old version still to go", podCount(all-updated))
	case updated > want:
		return progressing("%s more than wanted still to go", podCount(updated-want))
	case available < want:
		return progressing("%d of %d pods are ready at the new version", available, want)
	case want == 0:
		return ready("scaled to zero pods, as asked")
	default:
		return ready("%d of %d pods are ready", available, want)
	}
}

// deadlineExceeded says whether the cluster gave up on this version. A Deployment
// keeps the condition of an earlier version until a pod moves, so one that is older
// than the last write tells nothing about it.
func deadlineExceeded(obj *unstructured.Unstructured) bool {
	progress, _ := conditionOf(obj, "Progressing")
	if !progress.isFalse() || progress.reason != "ProgressDeadlineExceeded" {
		return false
	}
	return progress.updated.IsZero() || !progress.updated.Before(writtenAt(obj))
}

// creationFailure is why the cluster refuses to create pods, when waiting is no help.
func creationFailure(obj *unstructured.Unstructured, refused condition) *v1alpha1.Cause {
	if !refused.isTrue() || refused.reason != "FailedCreate" {
		return nil
	}
	cause := denial(refused.message)
	if cause != nil {
		cause.Object = obj.GetKind() + "/" + obj.GetName()
	}
	return cause
}
