package diff

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Change is a field that a write would change.
type Change struct {
	// Path of the field: `spec.template.spec.containers[web].image`.
	Path string `json:"path"`
	// Old value; nil where there is none.
	Old any `json:"old,omitempty"`
	// New value; nil where the field is taken away.
	New any `json:"new,omitempty"`
	// Secret says that the values are nobody's business: they are left out.
	Secret bool `json:"secret,omitempty"`
}

// Write returns what writing an object changes in the one that is there, in the order of
// the paths of the object. Own is what the writer owns of it, in the notation of managed
// fields: of that, what is no longer wanted goes; where it is not known, nothing does. The
// marks that tell one revision from another are left out.
func Write(want, live *unstructured.Unstructured, own map[string]any) []Change {
	w := writing{}
	for _, key := range union(want.Object, own) {
		switch key {
		case "apiVersion", "kind", "status":
		case "metadata":
			wanted, there, ours := asMap(want.Object[key]), asMap(live.Object[key]), below(own, "f:"+key)
			for _, part := range []string{"annotations", "labels"} {
				w.field(key+"."+part, wanted[part], there[part], below(ours, "f:"+part))
			}
		default:
			w.field(key, want.Object[key], live.Object[key], below(own, "f:"+key))
		}
	}
	if want.GetKind() == "Secret" {
		w.hide("data", "stringData")
	}
	return w.changes
}

// writing collects what a write changes.
type writing struct{ changes []Change }

func (w *writing) add(path string, old, wanted any) {
	w.changes = append(w.changes, Change{Path: path, Old: old, New: wanted})
}

// hide takes the values out of the changes below these fields.
func (w *writing) hide(fields ...string) {
	for i, c := range w.changes {
		for _, f := range fields {
			if c.Path == f || strings.HasPrefix(c.Path, f+".") {
				w.changes[i] = Change{Path: c.Path, Secret: true}
			}
		}
	}
}

// field compares what stands at a path.
func (w *writing) field(path string, want, live any, own map[string]any) {
	if isMark(path) {
		return
	}
	switch wanted := want.(type) {
	case nil:
		if own != nil && live != nil {
			w.removed(path, live, own)
		}
	case map[string]any:
		there, isMap := live.(map[string]any)
		if !isMap && !isZero(live) || live == nil && len(wanted) == 0 {
			w.scalar(path, live, want)
			return
		}
		for _, key := range union(wanted, own) {
			w.field(path+"."+key, wanted[key], there[key], inside(own, "f:"+key))
		}
		if whole(own) {
			w.extra(path, wanted, there)
		}
	case []any:
		there, isList := live.([]any)
		if !isList && live != nil {
			w.scalar(path, live, want)
			return
		}
		w.list(path, wanted, there, own)
	default:
		w.scalar(path, live, want)
	}
}

func (w *writing) scalar(path string, live, want any) {
	if !isZero(want) || !isZero(live) {
		if !sameScalar(path, want, live) {
			w.add(path, live, want)
		}
	}
}

// extra are the keys of a map of plain values that is written as one, and no longer has
// them.
func (w *writing) extra(path string, want, live map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(live)) {
		_, wanted := want[key]
		if _, plain := live[key].(string); plain && !wanted {
			w.add(path+"."+key, live[key], nil)
		}
	}
}

// removed tells what goes of a value that is no longer wanted: what is ours of it.
func (w *writing) removed(path string, live any, own map[string]any) {
	there, isMap := live.(map[string]any)
	items, isList := live.([]any)
	switch {
	case isMap && !whole(own):
		for _, key := range union(nil, own) {
			w.field(path+"."+key, nil, there[key], below(own, "f:"+key))
		}
	case isList && !whole(own):
		w.list(path, nil, items, own)
	default:
		w.add(path, live, nil)
	}
}

// list compares lists: item by item where they are objects, as one where they are not.
func (w *writing) list(path string, want, live []any, own map[string]any) {
	if !objects(want) || !objects(live) {
		if len(want) != len(live) || !sameValues(path, want, live, own) {
			w.add(path, nonNil(live), nonNil(want))
		}
		return
	}
	used := map[int]bool{}
	for i, item := range want {
		wanted := asMap(item)
		keys, node := ownItem(wanted, own)
		if keys == nil {
			keys = keysOf(path, wanted)
		}
		at := place(keys, i, live)
		if at < 0 {
			w.add(called(path, i, wanted, keys), nil, item)
			continue
		}
		used[at] = true
		w.field(called(path, i, wanted, keys), item, live[at], node)
	}
	for i, item := range live {
		there := asMap(item)
		keys, _ := ownItem(there, own)
		if !used[i] && (keys != nil || whole(own)) {
			w.add(called(path, i, there, keysOf(path, there)), item, nil)
		}
	}
}

// place finds the item with these keys; the one at the same place where there are none.
func place(keys map[string]any, i int, live []any) int {
	if keys == nil {
		if i < len(live) {
			return i
		}
		return -1
	}
	return slices.IndexFunc(live, func(item any) bool { return has(asMap(item), keys) })
}

// mergeKeys are by what an item of a list is known, where it is not a name, by the last
// part of the list's path: the first of them that an item has.
var mergeKeys = map[string][]string{
	"ports":                     {"containerPort", "port"},
	"volumeMounts":              {"mountPath"},
	"volumeDevices":             {"devicePath"},
	"hostAliases":               {"ip"},
	"topologySpreadConstraints": {"topologyKey"},
}

// keysOf is by what an item of a list is known, as far as its kind of list tells.
func keysOf(path string, item map[string]any) map[string]any {
	last := path[strings.LastIndexByte(path, '.')+1:]
	keys, known := mergeKeys[last]
	if !known {
		keys = []string{"name"}
	}
	for _, key := range keys {
		if value, set := item[key]; set {
			return map[string]any{key: value}
		}
	}
	return nil
}

// called names an item by its name, else by its key, else by its place.
func called(path string, i int, item, keys map[string]any) string {
	if _, named := item["name"].(string); !named || mergeKeys[path[strings.LastIndexByte(path, '.')+1:]] != nil {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if value, set := item[key]; set {
				return path + "[" + text(value) + "]"
			}
		}
	}
	return itemPath(path, i, item)
}

func objects(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool { _, ok := item.(map[string]any); return !ok })
}

// nonNil is nil for a list without items: an old list that was not there, a new one that goes.
func nonNil(list []any) any {
	if list == nil {
		return nil
	}
	return list
}

// inside is what is owned of a part of a value: all of it when the whole is.
func inside(own map[string]any, key string) map[string]any {
	if whole(own) {
		return own
	}
	return below(own, key)
}

// union are the keys that are wanted or owned, sorted.
func union(want, own map[string]any) []string {
	keys := map[string]bool{}
	for key := range want {
		keys[key] = true
	}
	for key := range own {
		if field, ok := strings.CutPrefix(key, "f:"); ok {
			keys[field] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// isMark says that a path is of what tells one revision from another: it changes with
// every field, and says nothing of its own.
func isMark(path string) bool {
	for _, mark := range []string{v1alpha1.AnnotationHash, v1alpha1.AnnotationPodHash} {
		if strings.HasSuffix(path, ".annotations."+mark) {
			return true
		}
	}
	return false
}
