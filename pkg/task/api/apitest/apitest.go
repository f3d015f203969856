// Package apitest checks requests against the API description that a vendor publishes,
// reduced to the operations that are used and to what can be checked of them. It answers
// nothing: what a double says is its own matter.
package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
)

// Operation is one that a vendor publishes.
type Operation struct {
	Method, Path string
	// Success are the codes of good answers.
	Success []int
	// Query are the names that a query may have.
	Query []string
	// Body is nil where there is none.
	Body *Schema
}

// Schema is what is checked of a body.
type Schema struct {
	// Type is empty where the description leaves it open.
	Type       string
	Required   []string
	Enum       []string
	Nullable   bool
	Properties map[string]Schema
}

// Description is an API.
type Description struct {
	// Source says where it was published.
	Source     string
	Operations []Operation
}

var variable = regexp.MustCompile(`\{[A-Za-z_]+\}`)

// Read reads a description.
func Read(path string) (Description, error) {
	var d Description
	raw, err := os.ReadFile(path)
	if err != nil {
		return d, fmt.Errorf("read the description of an API: %w", err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("read the description of an API %s: %w", path, err)
	}
	if len(d.Operations) == 0 {
		return d, fmt.Errorf("the description of an API %s has no operations", path)
	}
	return d, nil
}

// Check returns the operation that a request is, and what is wrong with it.
func (d Description) Check(r *http.Request, body []byte) (Operation, error) {
	o, ok := d.find(r)
	if !ok {
		return o, fmt.Errorf("there is no operation %s %s", r.Method, r.URL.EscapedPath())
	}
	for name := range r.URL.Query() {
		if !slices.Contains(o.Query, name) {
			return o, fmt.Errorf("query %s is not described", name)
		}
	}
	if o.Body == nil {
		if len(body) > 0 {
			return o, fmt.Errorf("it has a body")
		}
		return o, nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return o, fmt.Errorf("the body is no JSON: %w", err)
	}
	return o, o.Body.check("body", value)
}

func (d Description) find(r *http.Request) (Operation, bool) {
	for _, o := range d.Operations {
		pattern := "^" + variable.ReplaceAllString(o.Path, `[A-Za-z0-9_.-]+`) + "$"
		if o.Method == r.Method && regexp.MustCompile(pattern).MatchString(r.URL.EscapedPath()) {
			return o, true
		}
	}
	return Operation{}, false
}

func (s Schema) check(where string, value any) error {
	switch v := value.(type) {
	case string:
		if s.Type != "" && s.Type != "string" || len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q, not one of %s %q", where, v, s.Type, s.Enum)
		}
	case nil:
		if !s.Nullable {
			return fmt.Errorf("%s is null", where)
		}
	case map[string]any:
		return s.checkObject(where, v)
	default:
		return fmt.Errorf("%s is a %T", where, v)
	}
	return nil
}

func (s Schema) checkObject(where string, object map[string]any) error {
	if s.Type != "object" {
		return fmt.Errorf("%s is an object, not a %s", where, s.Type)
	}
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			return fmt.Errorf("%s has no %s", where, name)
		}
	}
	for name, one := range object {
		known, ok := s.Properties[name]
		if !ok {
			return fmt.Errorf("%s.%s is not described", where, name)
		}
		if err := known.check(where+"."+name, one); err != nil {
			return err
		}
	}
	return nil
}
