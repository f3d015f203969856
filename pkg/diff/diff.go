// Package diff says where an object that is wanted and the one that is there differ: field
// by field, by path, lists item by item. Drift and the plan of a rollout tell it alike.
//
// It does not decide what a difference means, and reads nothing but the objects it is given.
package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Unlike returns the paths at which an object that is there is not as it is wanted. Own is
// what the writer owns of it, in the notation of managed fields: there it counts as it was
// written, whatever its form. Without it values alone are compared. Fields that are not
// wanted do not count: defaults, and what others add.
func Unlike(want, live, own map[string]any, skip func(path string) bool) []string {
	c := comparison{skip: skip}
	c.object(want, live, own)
	return c.fields
}

// comparison collects differences. A node of owned fields is nil where we own nothing, or
// where that is not known.
type comparison struct {
	skip   func(path string) bool
	fields []string
}

// object compares all but what names an object, and what we write anew each time.
func (c *comparison) object(want, live, own map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch key {
		case "apiVersion", "kind", "status":
		case "metadata":
			meta, there := asMap(want[key]), asMap(live[key])
			for _, part := range []string{"labels", "annotations"} {
				c.value("metadata."+part, meta[part], there[part], below(below(own, "f:metadata"), "f:"+part))
			}
		default:
			c.value(key, want[key], live[key], below(own, "f:"+key))
		}
	}
}

// value compares what stands at a path.
func (c *comparison) value(path string, want, live any, own map[string]any) {
	if want == nil || whole(own) || isZero(want) && live == nil || c.skip(path) {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		there, ok := live.(map[string]any)
		if !ok && live != nil {
			c.fields = append(c.fields, path)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			c.value(path+"."+key, want[key], there[key], below(own, "f:"+key))
		}
	case []any:
		there, _ := live.([]any)
		c.list(path, want, there, own)
	default:
		if !sameScalar(path, want, live) {
			c.fields = append(c.fields, path)
		}
	}
}

// list compares lists. Items that are objects may stand in another order, and among
// others: who adds a container does not change ours.
func (c *comparison) list(path string, want, live []any, own map[string]any) {
	if len(want) == 0 {
		return
	}
	if _, objects := want[0].(map[string]any); !objects {
		if !sameValues(path, want, live, own) {
			c.fields = append(c.fields, path)
		}
		return
	}
	for i, item := range want {
		w, ok := item.(map[string]any)
		if !ok {
			continue
		}
		c.item(itemPath(path, i, w), w, live, own)
	}
}

// item compares an item of a list with the one that has its keys, or its name, else with
// the one that is nearest to it.
func (c *comparison) item(path string, want map[string]any, live []any, own map[string]any) {
	keys, node := ownItem(want, own)
	if keys == nil {
		if name, ok := want["name"]; ok {
			keys = map[string]any{"name": name}
		}
	}
	nearest := []string{path}
	for _, candidate := range live {
		there, ok := candidate.(map[string]any)
		if !ok || !has(there, keys) {
			continue
		}
		try := comparison{skip: c.skip}
		try.value(path, want, there, node)
		if len(try.fields) == 0 {
			return
		}
		if keys != nil {
			nearest = try.fields
		}
	}
	c.fields = append(c.fields, nearest...)
}

// ownItem finds the keys and the node of an item in the owned fields of its list.
func ownItem(want, own map[string]any) (keys, node map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(own)) {
		text, ok := strings.CutPrefix(key, "k:")
		if !ok {
			continue
		}
		parsed := parseObject(text)
		matches := len(parsed) > 0
		for k, v := range parsed {
			wanted, set := want[k]
			matches = matches && (!set || sameScalar(k, wanted, v))
		}
		if matches {
			return parsed, asMap(own[key])
		}
	}
	return nil, nil
}

func has(item, keys map[string]any) bool {
	for k, v := range keys {
		if is, set := item[k]; set && !sameScalar(k, v, is) {
			return false
		}
	}
	return true
}

// itemPath names an item of a list by its name, else by its place.
func itemPath(path string, i int, item map[string]any) string {
	if name, ok := item["name"].(string); ok {
		return fmt.Sprintf("%s[%s]", path, name)
	}
	return fmt.Sprintf("%s[%d]", path, i)
}

// sameValues compares lists of plain values: as a set where they are owned one by one,
// else in order.
func sameValues(path string, want, live []any, own map[string]any) bool {
	set := false
	for key := range own {
		set = set || strings.HasPrefix(key, "v:")
	}
	if !set && len(want) != len(live) {
		return false
	}
	for i, w := range want {
		same := func(l any) bool { return sameScalar(path, w, l) }
		if set && !slices.ContainsFunc(live, same) || !set && !same(live[i]) {
			return false
		}
	}
	return true
}
