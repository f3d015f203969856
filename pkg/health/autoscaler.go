package health

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// autoscaler is ready when it has found what it scales. Missing metrics do not hold it
// back, since fresh pods have none; a configuration it can never follow is a failure.
func autoscaler(obj *unstructured.Unstructured) Verdict {
	able, _ := conditionOf(obj, "AbleToScale")
	active, _ := conditionOf(obj, "ScalingActive")
	switch {
	case active.isFalse() && strings.HasPrefix(active.reason, "Invalid"):
		return failed(obj, v1alpha1.CauseConfig,
			title(obj)+" cannot scale: "+active.said("its configuration is wrong"),
			"correct the metrics or the target of the autoscaler")
	case !able.isTrue():
		return progressing("%s has not found what it scales: %s", title(obj), able.said("it has not looked yet"))
	case active.isFalse():
		return ready("found its target; %s", active.said("not scaling yet"))
	default:
		return ready("scales its target")
	}
}
