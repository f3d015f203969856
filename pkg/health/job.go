package health

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// job is ready when it is complete. It has failed as soon as the cluster decides so,
// although its last pods may still be stopping.
func job(obj *unstructured.Unstructured) Verdict {
	for _, name := range []string{"Failed", "FailureTarget"} {
		if ended, _ := conditionOf(obj, name); ended.isTrue() {
			return failedJob(obj, ended)
		}
	}
	if complete, _ := conditionOf(obj, "Complete"); complete.isTrue() {
		return ready("completed")
	}
	active, bad := count(obj, "status", "active"), count(obj, "status", "failed")
	switch {
	case flag(obj, "spec", "suspend"):
		return progressing("%s is suspended: nothing runs until spec.suspend is false", title(obj))
	case bad > 0:
		return progressing("%s failed so far; it may be tried %d times", podCount(bad), wanted(obj, 6, "spec", "backoffLimit")+1)
	case active > 0:
		return progressing("%s running", podCount(active))
	default:
		return progressing("its pod is about to start")
	}
}

func failedJob(obj *unstructured.Unstructured, ended condition) Verdict {
	message, hint := title(obj)+" failed: "+ended.said("no reason given"), "read the log of its last pod, correct the cause and deploy again"
	switch ended.reason {
	case "BackoffLimitExceeded":
		message = fmt.Sprintf("%s failed: %s ended with an error and no further try is allowed", title(obj), podCount(max(count(obj, "status", "failed"), 1)))
	case "DeadlineExceeded":
		message = fmt.Sprintf("%s failed: it ran longer than the %d seconds it may take", title(obj), count(obj, "spec", "activeDeadlineSeconds"))
		hint = "make it faster, or raise activeDeadlineSeconds"
	}
	return failed(obj, v1alpha1.CauseJobFailed, message, hint)
}
