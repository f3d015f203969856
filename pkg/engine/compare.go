package engine

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/diff"
	"spock.dev/spock/pkg/target"
)

// difference is what somebody else has changed in an object.
type difference struct {
	fields []string
	by     string // who owns some of the fields now; empty when nobody does, as of what was removed
}

// changed finds the fields of an object that are not as we wrote them, by path. A field
// counts that we set, that has another value now, and that is not ours any more: the API
// server takes a field away from who applied it when somebody else gives it another value.
// So what it makes of our own write itself, a quantity in another form for instance, is no
// change, and neither is a default, or what others add. Where an object does not tell who
// owns what, values alone are compared.
func changed(want, live *unstructured.Unstructured, skip func(path string) bool) difference {
	unlike := func(own map[string]any) []string {
		return diff.Unlike(want.Object, live.Object, own, skip)
	}
	all := unlike(nil)
	if len(all) == 0 {
		return difference{} // most often: then nobody need read who owns what
	}
	if own, known := target.OwnFields(live); known {
		all = unlike(own)
	}
	for _, m := range target.Others(live) {
		rest := unlike(m.Fields)
		if slices.ContainsFunc(all, func(field string) bool { return !slices.Contains(rest, field) }) {
			return difference{fields: all, by: m.Name}
		}
	}
	return difference{fields: all}
}
