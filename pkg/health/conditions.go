package health

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// condition is one entry of status.conditions.
type condition struct {
	status, reason, message string
	// updated is when the condition was last said, where the kind tells.
	updated time.Time
	// stale says that the condition is of an older generation.
	stale bool
}

// isTrue and isFalse hold for conditions of the present generation only.
func (c condition) isTrue() bool  { return c.status == "True" && !c.stale }
func (c condition) isFalse() bool { return c.status == "False" && !c.stale }

// said is the condition's message, else its reason.
func (c condition) said(otherwise string) string {
	switch {
	case c.message != "":
		return oneLine(c.message, 200)
	case c.reason != "":
		return c.reason
	default:
		return otherwise
	}
}

// conditionOf finds a condition by type; the zero condition is neither true nor false.
func conditionOf(obj *unstructured.Unstructured, name string) (condition, bool) {
	value, _, _ := unstructured.NestedFieldNoCopy(obj.Object, "status", "conditions")
	list, _ := value.([]any)
	for _, entry := range list {
		fields, isMap := entry.(map[string]any)
		if !isMap || fields["type"] != name {
			continue
		}
		return readCondition(fields, obj.GetGeneration()), true
	}
	return condition{}, false
}

func readCondition(fields map[string]any, generation int64) condition {
	var c condition
	c.status, _ = fields["status"].(string)
	c.reason, _ = fields["reason"].(string)
	c.message, _ = fields["message"].(string)
	if stamp, isString := fields["lastUpdateTime"].(string); isString {
		c.updated, _ = time.Parse(time.RFC3339, stamp)
	}
	if observed, told := whole(fields["observedGeneration"]); told {
		c.stale = observed < generation
	}
	return c
}

// byConditions judges a kind nobody gave a rule for, by the conditions most
// controllers keep: Stalled gives up, Reconciling is at work, Ready decides. A kind
// that reports none of them cannot be judged, and is not taken for ready.
func byConditions(obj *unstructured.Unstructured) Verdict {
	if !hasStatus(obj) {
		return progressing("%s has no status yet; if its kind never has one, say so with the ready rule `true` in the template", title(obj))
	}
	if stalled, _ := conditionOf(obj, "Stalled"); stalled.isTrue() {
		return failed(obj, v1alpha1.CauseNoProgress,
			title(obj)+" is stalled: "+stalled.said("its controller gave up"),
			"correct what the message names, then deploy again")
	}
	if working, _ := conditionOf(obj, "Reconciling"); working.isTrue() {
		return progressing("%s is being worked on: %s", title(obj), working.said("no details given"))
	}
	judged, found := conditionOf(obj, "Ready")
	switch {
	case !found:
		return Verdict{State: Unknown, Message: title(obj) + " reports no Ready condition; give its kind a ready rule in the template"}
	case judged.isTrue():
		return ready("its Ready condition is true")
	case judged.stale:
		return progressing("the Ready condition of %s is of an older version", title(obj))
	default:
		return progressing("%s is not ready: %s", title(obj), judged.said("no reason given"))
	}
}
