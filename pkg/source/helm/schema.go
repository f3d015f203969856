package helm

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"spock.dev/spock/pkg/source"
)

// drafts are the languages of schemas that need not be fetched.
var drafts = regexp.MustCompile(`^https?://json-schema\.org/(draft-0[467]|draft/2019-09|draft/2020-12)/schema#?$`)

// closed refuses a schema of values that refers to anything outside itself, since
// checking the values would fetch it.
func closed(c *chart.Chart) error {
	if len(c.Schema) == 0 {
		return nil
	}
	var schema any
	if err := json.Unmarshal(c.Schema, &schema); err != nil {
		return &source.Error{Problem: fmt.Sprintf("values.schema.json of chart %s: %v", c.Name(), err), Remedy: "correct it"}
	}
	if outside := refers(schema); outside != "" {
		return &source.Error{Problem: fmt.Sprintf("values.schema.json of chart %s refers to %q, which would be fetched, and nothing is", c.Name(), outside), Remedy: "put it under $defs of the schema"}
	}
	return nil
}

// refers is the first reference to something outside, or empty.
func refers(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			text, isText := v[key].(string)
			switch {
			case !isText:
				if found := refers(v[key]); found != "" {
					return found
				}
			case key == "$schema" && !drafts.MatchString(text),
				(key == "$ref" || key == "$dynamicRef" || key == "$recursiveRef") && !strings.HasPrefix(text, "#"):
				return text
			}
		}
	case []any:
		for _, item := range v {
			if found := refers(item); found != "" {
				return found
			}
		}
	}
	return ""
}
