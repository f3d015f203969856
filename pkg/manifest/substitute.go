package manifest

import (
	"fmt"
	"sort"
)

// substituteObject replaces the scalar strings of an object in place.
func substituteObject(object map[string]any, substitute Substitute) *Error {
	w := walker{substitute: substitute}
	w.value(object, " ")
	return w.failed
}

// walker visits an object in a stable order and stops at the first failure.
type walker struct {
	substitute Substitute
	failed     *Error
}

// value returns the substituted value; path starts with a space, for people.
func (w *walker) value(v any, path string) any {
	if w.failed != nil {
		return v
	}
	switch v := v.(type) {
	case string:
		out, err := w.substitute(v)
		if err != nil {
			w.failed = &Error{Where: path, Problem: err.Error(), Cause: err}
		}
		return out
	case map[string]any:
		w.object(v, path)
	case []any:
		for i := range v {
			v[i] = w.value(v[i], fmt.Sprintf("%s[%d]", path, i))
		}
	}
	return v
}

func (w *walker) object(v map[string]any, path string) {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if v[key] == nil {
			delete(v, key)
			continue
		}
		next := path + key
		if path != " " {
			next = path + "." + key
		}
		v[key] = w.value(v[key], next)
	}
}
