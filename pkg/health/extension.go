package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// resourceDefinition is ready when the cluster serves its kind.
func resourceDefinition(obj *unstructured.Unstructured) Verdict {
	if names, _ := conditionOf(obj, "NamesAccepted"); names.isFalse() {
		return failed(obj, v1alpha1.CauseConflict,
			title(obj)+" cannot be served: "+names.said("its names are taken"),
			"rename the kind, or remove the definition that has the name")
	}
	if established, _ := conditionOf(obj, "Established"); !established.isTrue() {
		return progressing("the cluster does not serve %s yet", text(obj, "spec", "names", "kind"))
	}
	return ready("served")
}

// apiService is ready when the server behind it answers.
func apiService(obj *unstructured.Unstructured) Verdict {
	available, _ := conditionOf(obj, "Available")
	if !available.isTrue() {
		return progressing("the server of %s does not answer: %s", title(obj), available.said("it was not asked yet"))
	}
	return ready("answers")
}
