// Package manifest reads the Kubernetes objects that a template brings itself: YAML
// whose values are substituted after parsing, limited to what an environment may hold.
package manifest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Error says what is wrong with a manifest and what to do.
type Error struct {
	// Where is the object or the place in it, as `Deployment/db spec.replicas`; empty when
	// it is the whole manifest.
	Where string
	// Problem and Remedy are clauses without a full stop.
	Problem, Remedy string
	// Cause is the error of the substitution, if that was the problem.
	Cause error
}

func (e *Error) Error() string {
	text := e.Problem
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Parse reads the documents of a manifest and substitutes their scalar strings: a value
// can therefore not change the shape of an object. Keys stay as they are. Nulls and
// status are dropped. Every object has been allowed by Refuse, and gets the namespace.
func Parse(text, namespace string, substitute Substitute) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, &Error{Where: fmt.Sprintf("document %d", n), Problem: err.Error(), Remedy: "correct the YAML"}
		}
		object, err := read(document, n, substitute)
		if err != nil {
			return nil, err
		}
		if object == nil {
			continue
		}
		if err := Refuse(object, namespace); err != nil {
			return nil, err
		}
		object.SetNamespace(namespace)
		objects = append(objects, object)
	}
}

// read turns one document into an object, nil when it is empty.
func read(document []byte, n int, substitute Substitute) (*unstructured.Unstructured, error) {
	where := fmt.Sprintf("document %d", n)
	raw, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, &Error{Where: where, Problem: "it is not valid YAML: " + oneLine(err.Error()),
			Remedy: "correct it; an expression that holds `: `, ` #` or quotes must itself stand in quotes"}
	}
	var content any
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, &Error{Where: where, Problem: oneLine(err.Error()), Remedy: "correct the YAML"}
	}
	if content == nil {
		return nil, nil
	}
	object, ok := content.(map[string]any)
	if !ok {
		return nil, &Error{Where: where, Problem: "it is not an object", Remedy: "write apiVersion, kind, metadata and spec"}
	}
	delete(object, "status")
	if err := substituteObject(object, substitute); err != nil {
		err.Where = describe(object, where) + err.Where
		return nil, err
	}
	return &unstructured.Unstructured{Object: object}, nil
}

// Values reads a YAML document that is not an object of Kubernetes and substitutes its
// scalar strings as Parse does.
func Values(text string, substitute Substitute) (map[string]any, error) {
	values := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		return nil, &Error{Problem: "it is not a map in valid YAML: " + oneLine(err.Error()), Remedy: "correct it; an expression that holds `: `, ` #` or quotes must itself stand in quotes"}
	}
	w := walker{substitute: substitute, nulls: true}
	if w.object(values, place{path: " "}); w.failed != nil {
		w.failed.Where = strings.TrimSpace(w.failed.Where)
		return nil, w.failed
	}
	return values, nil
}

// describe names the object whose substitution failed, as far as it can be named.
func describe(object map[string]any, otherwise string) string {
	kind, _ := object["kind"].(string)
	if kind == "" {
		return otherwise
	}
	name, _, _ := unstructured.NestedString(object, "metadata", "name")
	if name == "" {
		return kind
	}
	return kind + "/" + name
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
