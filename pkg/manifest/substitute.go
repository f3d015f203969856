package manifest

import (
	"fmt"
	"sort"
)

// Substitute returns the value of a scalar string. Where Kubernetes takes nothing but
// text, asText asks for text even when the string is one expression with a number.
type Substitute func(text string, asText bool) (any, error)

// The places where Kubernetes takes text only: the values of these maps, the elements of
// these lists, and `value` of the elements of env.
var (
	textMaps  = map[string]bool{"labels": true, "annotations": true, "matchLabels": true, "nodeSelector": true}
	textLists = map[string]bool{"command": true, "args": true}
)

// substituteObject replaces the scalar strings of an object in place.
func substituteObject(object map[string]any, substitute Substitute) *Error {
	w := walker{substitute: substitute, configMap: object["kind"] == "ConfigMap"}
	w.object(object, place{path: " "})
	return w.failed
}

// walker visits an object in a stable order and stops at the first failure.
type walker struct {
	substitute Substitute
	configMap  bool
	nulls      bool // stay
	failed     *Error
}

// place is where a value stands: its path, for people, starts with a space; under is the
// key of the map or list that holds it.
type place struct {
	path, under string
	text        bool
}

func (w *walker) value(v any, at place) any {
	if w.failed != nil {
		return v
	}
	switch v := v.(type) {
	case string:
		out, err := w.substitute(v, at.text)
		if err != nil {
			w.failed = &Error{Where: at.path, Problem: err.Error(), Cause: err}
		}
		return out
	case map[string]any:
		w.object(v, at)
	case []any:
		for i := range v {
			v[i] = w.value(v[i], place{fmt.Sprintf("%s[%d]", at.path, i), at.under, textLists[at.under]})
		}
	}
	return v
}

// object substitutes the values of a map, and drops its nulls.
func (w *walker) object(v map[string]any, at place) {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	text := textMaps[at.under] || w.configMap && at.path == " data"
	for _, key := range keys {
		if v[key] == nil {
			if !w.nulls {
				delete(v, key)
			}
			continue
		}
		path := at.path + "." + key
		if at.path == " " {
			path = at.path + key
		}
		v[key] = w.value(v[key], place{path, key, text || at.under == "env" && key == "value"})
	}
}
