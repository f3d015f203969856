package target

import (
	"cmp"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// PackFields turns which fields each manager of an object owns into text, which takes a
// tenth of the memory. Fields of who reports a status are dropped: nobody asks for them.
// Who wrote when stays.
func PackFields(o *unstructured.Unstructured) {
	for _, entry := range managers(o) {
		fields, ok := entry["fieldsV1"].(map[string]any)
		if !ok {
			continue
		}
		delete(entry, "fieldsV1")
		if entry["subresource"] == "status" {
			continue
		}
		if text, err := json.Marshal(fields); err == nil {
			entry["fieldsV1"] = string(text)
		}
	}
}

// OwnFields returns the fields that Spock has applied and that nobody has taken over
// since, in the notation of managed fields; known is false when the object does not tell.
func OwnFields(o *unstructured.Unstructured) (fields map[string]any, known bool) {
	fields = map[string]any{}
	for _, entry := range managers(o) {
		if own := fieldsOf(entry); own != nil && isOwn(entry) {
			merge(fields, own)
			known = true
		}
	}
	return fields, known
}

// Manager is who else has written fields of an object.
type Manager struct {
	// Name by which the API server knows it.
	Name string
	// Fields that it owns, in the notation of managed fields.
	Fields map[string]any
}

// Others returns who else has written fields of an object, the last one first.
func Others(o *unstructured.Unstructured) []Manager {
	entries := slices.DeleteFunc(managers(o), isOwn)
	slices.SortStableFunc(entries, func(a, b map[string]any) int { return cmp.Compare(text(b, "time"), text(a, "time")) })
	var out []Manager
	for _, entry := range entries {
		if fields := fieldsOf(entry); fields != nil {
			out = append(out, Manager{Name: text(entry, "manager"), Fields: fields})
		}
	}
	return out
}

// ScaledBy names who last scaled an object; empty when nobody has.
func ScaledBy(o *unstructured.Unstructured) string {
	name, at := "", ""
	for _, entry := range managers(o) {
		if when := text(entry, "time"); entry["subresource"] == "scale" && when >= at {
			name, at = text(entry, "manager"), when
		}
	}
	return name
}

// fieldsOf are the fields of an entry, packed or not; nil when they are not known.
func fieldsOf(entry map[string]any) map[string]any {
	switch fields := entry["fieldsV1"].(type) {
	case string:
		var parsed map[string]any
		if json.Unmarshal([]byte(fields), &parsed) != nil {
			return nil
		}
		return parsed
	case map[string]any:
		return runtime.DeepCopyJSON(fields)
	}
	return nil
}

func text(entry map[string]any, key string) string {
	s, _ := entry[key].(string)
	return s
}

// merge adds fields to others: an object has one entry per version that it was applied in.
func merge(into, from map[string]any) {
	for key, child := range from {
		here, ok := into[key].(map[string]any)
		more, isMap := child.(map[string]any)
		if ok && isMap {
			merge(here, more)
			continue
		}
		into[key] = child
	}
}

// managers are the entries of the managed fields of an object.
func managers(o *unstructured.Unstructured) []map[string]any {
	list, found, err := unstructured.NestedFieldNoCopy(o.Object, "metadata", "managedFields")
	entries, ok := list.([]any)
	if err != nil || !found || !ok {
		return nil
	}
	out := make([]map[string]any, 0, len(entries))
	for _, e := range entries {
		if entry, ok := e.(map[string]any); ok {
			out = append(out, entry)
		}
	}
	return out
}

// isOwn says whether an entry is of what Spock applies.
func isOwn(entry map[string]any) bool {
	return entry["manager"] == v1alpha1.FieldManager && entry["operation"] == string(metav1.ManagedFieldsOperationApply)
}
