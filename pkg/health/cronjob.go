package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// cronJob is ready once it is written: its status stays empty until the first run,
// and how its runs end is not part of bringing a service up.
func cronJob(obj *unstructured.Unstructured) Verdict {
	if flag(obj, "spec", "suspend") {
		return ready("suspended, as asked")
	}
	return ready("runs at %s", text(obj, "spec", "schedule"))
}
