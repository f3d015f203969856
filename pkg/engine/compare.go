package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
		c := comparison{skip: skip}
		c.object(want.Object, live.Object, own)
		return c.fields
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

// whole says that a node of owned fields is a leaf: all that stands there is ours.
func whole(own map[string]any) bool {
	if own == nil {
		return false
	}
	for key := range own {
		if key != "." {
			return false
		}
	}
	return true
}

func below(own map[string]any, key string) map[string]any { return asMap(own[key]) }

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// isZero says that the API server may leave a value out.
func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		for _, child := range v {
			if !isZero(child) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	default:
		return reflect.ValueOf(v).IsZero()
	}
}

// sameScalar compares plain values: numbers by value, amounts of resources as such.
func sameScalar(path string, a, b any) bool {
	if reflect.DeepEqual(a, b) || isZero(a) && b == nil {
		return true
	}
	x, isX := number(a)
	y, isY := number(b)
	if isX && isY {
		return x == y
	}
	if !isAmount(path) {
		return false
	}
	p, errP := resource.ParseQuantity(fmt.Sprint(a))
	q, errQ := resource.ParseQuantity(fmt.Sprint(b))
	return errP == nil && errQ == nil && p.Cmp(q) == 0
}

// isAmount says whether a path is of a resource.Quantity.
func isAmount(path string) bool {
	return strings.Contains(path, ".requests.") || strings.Contains(path, ".limits.") || strings.HasSuffix(path, ".sizeLimit")
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// parseObject reads the keys of a list's item; nil when they are none.
func parseObject(text string) map[string]any {
	var parsed map[string]any
	if json.Unmarshal([]byte(text), &parsed) != nil {
		return nil
	}
	return parsed
}
