package engine

import (
	"fmt"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

// Retreat is the way back from a run that failed.
type Retreat struct {
	// Plan to bring the environment to instead.
	Plan *plan.Plan
	// Services that are other in it than in the plan that failed; nil stands for all.
	Services []string
}

// RollBack finds the way back from a plan that failed to one that was ready before: the
// whole of it, or of the services that failed. why says in words that follow "not rolled
// back:" why there is none. Since each retreat brings back something that was not yet, they
// end.
func RollBack(services []v1alpha1.ServiceStatus, failed, before *plan.Plan, scope v1alpha1.RollbackScope) (back Retreat, why string) {
	if _, cause := FirstFailure(services); cause == nil {
		return Retreat{}, "no service failed"
	}
	if scope != v1alpha1.RollbackService {
		if failed.Digest == before.Digest {
			return Retreat{}, "it is already as it was"
		}
		return Retreat{Plan: before}, ""
	}
	var names []string
	for i := range services {
		if services[i].State == v1alpha1.ServiceFailed {
			names = append(names, services[i].Name)
		}
	}
	made, restored := failed.Restore(before, names)
	if len(restored) == 0 {
		return Retreat{}, fmt.Sprintf("%s had nothing else to run", strings.Join(names[:min(len(names), maxHolders)], ", "))
	}
	return Retreat{Plan: made, Services: restored}, ""
}

// FirstFailure is the failure that a sentence about all of them begins with, its log cut to
// the last lines; nil when no service failed.
func FirstFailure(services []v1alpha1.ServiceStatus) (service string, cause *v1alpha1.Cause) {
	first := firstOf(services, v1alpha1.ServiceFailed)
	if first == nil || first.Cause == nil {
		return "", nil
	}
	cause = first.Cause.DeepCopy()
	cause.Log = lastBytes(cause.Log, causeLog)
	return first.Name, cause
}

// causeLog is how many bytes of a log a rollback keeps beside the run that failed.
const causeLog = 2 << 10
