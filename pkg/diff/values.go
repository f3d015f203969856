package diff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

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
