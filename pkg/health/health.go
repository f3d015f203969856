// Package health says whether what was written has come up, and when it cannot,
// why: in one sentence a developer understands, with a next step.
//
// It looks and never acts: objects, pods and errors go in, verdicts and causes come
// out. [Of] judges one live object, [Pods] finds the most telling failure among a
// service's pods, [Refusal] reads the answer to a write. Time is an input, and what
// only becomes a failure by lasting says through [Later] when to look again.
package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// State is the health of one object in one word.
type State string

// The states.
const (
	// Progressing is not there yet and may still come.
	Progressing State = "Progressing"
	// Ready has reached, at its newest generation, what was asked for.
	Ready State = "Ready"
	// Failed does not become ready without a change; the verdict has a cause.
	Failed State = "Failed"
	// Unknown cannot be judged: the message says what is missing for that.
	Unknown State = "Unknown"
)

// Verdict is the health of one object.
type Verdict struct {
	// State in one word.
	State State
	// Message is one short sentence that tells how far the object is.
	Message string
	// Cause is set when, and only when, the state is Failed.
	Cause *v1alpha1.Cause
}

// Of judges a live object. The rule of its kind decides; kinds without one are judged
// by the template's rule for them, else by their Ready condition. A template's rule
// for a kind that has one here can only tighten it: both must hold.
//
// Whatever the kind, an object is never Ready while it is being deleted, while the
// status it carries is of an older generation, or, unless its kind has none, while it
// has no status. A rule that does not compile or is not boolean is a failure at once.
func Of(obj *unstructured.Unstructured, rules []v1alpha1.ReadyRule) Verdict {
	rule, fault := ruleFor(obj, rules)
	if fault != nil {
		return *fault
	}
	if why := unsettled(obj); why != "" {
		return progressing("%s", why)
	}
	known, builtIn := kinds[obj.GroupVersionKind().GroupKind()]
	switch {
	case builtIn:
		verdict := known.of(obj)
		if rule == nil || verdict.State != Ready {
			return verdict
		}
		return rule.of(obj)
	case rule != nil:
		return rule.of(obj)
	default:
		return byConditions(obj)
	}
}

// unsettled says why an object cannot be ready whatever its kind, or nothing.
func unsettled(obj *unstructured.Unstructured) string {
	if obj.GetDeletionTimestamp() != nil {
		return title(obj) + " is being deleted"
	}
	observed, reported := integer(obj, "status", "observedGeneration")
	if reported && observed < obj.GetGeneration() {
		return "the cluster has not taken up the newest version of " + title(obj) + " yet"
	}
	return ""
}
