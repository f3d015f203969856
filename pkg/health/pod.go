package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// barePod is ready when its Ready condition holds, or when it ran to its end.
func barePod(obj *unstructured.Unstructured) Verdict {
	switch text(obj, "status", "phase") {
	case "Succeeded":
		return ready("completed")
	case "Failed":
		return failedPod(obj)
	}
	judged, _ := conditionOf(obj, "Ready")
	if judged.isTrue() {
		return ready("its containers are ready")
	}
	return progressing("%s is not ready: %s", title(obj), judged.said("it has not started"))
}

func failedPod(obj *unstructured.Unstructured) Verdict {
	why := text(obj, "status", "message")
	if why == "" {
		why = "a container ended with an error"
	}
	class, hint := v1alpha1.CauseCrashLoop, "read its log, correct the cause and deploy again"
	if text(obj, "status", "reason") == "Evicted" {
		class, hint = v1alpha1.CauseUnschedulable, "ask for the resources it really uses, so that it gets a node with room"
	}
	return failed(obj, class, title(obj)+" failed: "+oneLine(why, 200), hint)
}
