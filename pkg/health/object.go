package health

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func progressing(format string, args ...any) Verdict {
	return Verdict{State: Progressing, Message: fmt.Sprintf(format, args...)}
}

func ready(format string, args ...any) Verdict {
	return Verdict{State: Ready, Message: fmt.Sprintf(format, args...)}
}

// failed is the verdict of an object; message and hint become its cause.
func failed(obj *unstructured.Unstructured, class v1alpha1.CauseClass, message, hint string) Verdict {
	return Verdict{State: Failed, Message: message, Cause: &v1alpha1.Cause{
		Class: class, Message: message, Object: obj.GetKind() + "/" + obj.GetName(), Hint: hint,
	}}
}

// title names an object in a sentence.
func title(obj *unstructured.Unstructured) string { return obj.GetKind() + " " + obj.GetName() }

func hasStatus(obj *unstructured.Unstructured) bool {
	status, found, err := unstructured.NestedFieldNoCopy(obj.Object, "status")
	fields, isMap := status.(map[string]any)
	return err == nil && found && isMap && len(fields) > 0
}

// integer reads a whole number, whichever decoder made it.
func integer(obj *unstructured.Unstructured, path ...string) (int64, bool) {
	value, found, err := unstructured.NestedFieldNoCopy(obj.Object, path...)
	if err != nil || !found {
		return 0, false
	}
	return whole(value)
}

func whole(value any) (int64, bool) {
	switch n := value.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case int:
		return int64(n), true
	case float64:
		return int64(n), true
	default:
		return 0, false
	}
}

// count reads a number that means zero when it is absent, as in a status.
func count(obj *unstructured.Unstructured, path ...string) int64 {
	n, _ := integer(obj, path...)
	return n
}

// wanted reads spec.replicas and the like, with the default the API would give.
func wanted(obj *unstructured.Unstructured, otherwise int64, path ...string) int64 {
	if n, found := integer(obj, path...); found {
		return n
	}
	return otherwise
}

func text(obj *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(obj.Object, path...)
	return value
}

func flag(obj *unstructured.Unstructured, path ...string) bool {
	value, _, _ := unstructured.NestedBool(obj.Object, path...)
	return value
}

// writtenAt is when somebody last wrote the object itself, not its status; zero when
// the object does not tell.
func writtenAt(obj *unstructured.Unstructured) time.Time {
	var last time.Time
	for _, entry := range obj.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

// podCount says how many pods in words.
func podCount(n int64) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}
