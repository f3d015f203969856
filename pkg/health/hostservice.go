package health

import (
	"cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// hostService judges a service on a machine by what the machine tells: systemd calls it
// active when it is ready.
func hostService(obj *unstructured.Unstructured) Verdict {
	phase, _, _ := unstructured.NestedString(obj.Object, "status", "phase")
	message, _, _ := unstructured.NestedString(obj.Object, "status", "message")
	switch phase {
	case "Running":
		return ready("%s", cmp.Or(message, "runs"))
	case "Failed":
		cause := &v1alpha1.Cause{Class: v1alpha1.CauseCrashLoop, Message: cmp.Or(message, "it failed")}
		if raw, ok, _ := unstructured.NestedMap(obj.Object, "status", "cause"); ok {
			told := &v1alpha1.Cause{}
			if runtime.DefaultUnstructuredConverter.FromUnstructured(raw, told) == nil && told.Class != "" {
				cause = told
			}
		}
		cause.Object = obj.GetKind() + "/" + obj.GetName()
		return Verdict{State: Failed, Message: cause.Message, Cause: cause}
	default:
		return progressing("%s", cmp.Or(message, "waits for its machine"))
	}
}
