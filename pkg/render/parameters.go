package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// parameters settles the parameters of a service: the strongest value of each, checked
// against its type. Weaker values are checked too, since another environment may use them.
func (s *settled) parameters(sources []source, draft bool, p *problems) {
	declared := s.template.Spec.Parameters
	names := parameterNames(declared)
	for _, src := range sources {
		if src.general {
			continue
		}
		for _, unknown := range unknown(src.values.Parameters, names) {
			p.add(src.field+": parameter "+unknown, nearest.Hint(unknown, names, "remove it, the template declares no parameters"),
				"template %q has no such parameter", s.template.Name)
		}
	}
	s.params = make(map[string]any, len(declared))
	for _, parameter := range declared {
		v, ok := s.parameter(parameter, sources, draft, p)
		if !ok && draft {
			s.open, s.params[parameter.Name] = true, stand(parameter)
		}
		if ok {
			s.params[parameter.Name] = v.Value
			s.values = append(s.values, v)
		}
	}
}

func (s *settled) parameter(parameter v1alpha1.Parameter, sources []source, draft bool, p *problems) (Value, bool) {
	value, given := Value{Name: "params." + parameter.Name}, false
	set := func(layer Layer, field string, raw apiextensionsv1.JSON) {
		given = true
		v, problem, remedy := typed(parameter, raw)
		if problem != "" {
			p.add(field, remedy, "%s", problem)
		}
		value.Value, value.Layer = v, layer
	}
	if parameter.Default != nil {
		set(LayerTemplate, fmt.Sprintf("template %q: parameter %s: default", s.template.Name, parameter.Name), *parameter.Default)
	}
	for _, src := range sources {
		if raw, ok := src.values.Parameters[parameter.Name]; ok {
			set(src.layer, src.field+": parameter "+parameter.Name, raw)
		}
	}
	if !given && !draft {
		p.add(s.field+": parameter "+parameter.Name, "set it in the product, class or environment",
			"template %q needs it, and no layer sets it", s.template.Name)
	}
	return value, given
}

func parameterNames(parameters []v1alpha1.Parameter) []string {
	out := make([]string, 0, len(parameters))
	for _, parameter := range parameters {
		out = append(out, parameter.Name)
	}
	return out
}

// typed reads a value as its parameter's type: string, int64 or bool. A value given as
// text is read by the type, since `name=value` arguments know no types.
func typed(parameter v1alpha1.Parameter, raw apiextensionsv1.JSON) (value any, problem, remedy string) {
	text, kind := literal(raw)
	if problem := badKind(parameter.Type, kind); problem != "" {
		return nil, problem, "write " + wanted(parameter.Type)
	}
	switch parameter.Type {
	case v1alpha1.ParameterInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Sprintf("%q is not an integer", text), "write " + wanted(parameter.Type)
		}
		return n, "", ""
	case v1alpha1.ParameterBoolean:
		if text != "true" && text != "false" {
			return nil, fmt.Sprintf("%q is not a boolean", text), "write " + wanted(parameter.Type)
		}
		return text == "true", "", ""
	case v1alpha1.ParameterQuantity:
		if _, err := resource.ParseQuantity(text); err != nil {
			return nil, fmt.Sprintf("%q is not a quantity", text), "write " + wanted(parameter.Type)
		}
	case v1alpha1.ParameterEnum:
		if !slices.Contains(parameter.Values, text) {
			return nil, fmt.Sprintf("%q is not one of %s", text, strings.Join(parameter.Values, ", ")), nearest.Hint(text, parameter.Values, "give the parameter values in the template")
		}
	case v1alpha1.ParameterImage:
		if problem := badImage(text); problem != "" {
			return nil, problem, "write " + wanted(parameter.Type)
		}
	}
	return text, "", ""
}

// wanted says how a value of the type is written.
func wanted(t v1alpha1.ParameterType) string {
	switch t {
	case v1alpha1.ParameterInteger:
		return "a whole number like 3"
	case v1alpha1.ParameterBoolean:
		return "true or false"
	case v1alpha1.ParameterQuantity:
		return "a quantity like 500m or 1Gi"
	case v1alpha1.ParameterImage:
		return "an image like registry/name:tag or registry/name@sha256:..."
	}
	return "text, in quotes"
}

// literal returns a JSON value as text, with its kind: text, number, boolean, or what
// else it is.
func literal(raw apiextensionsv1.JSON) (text, kind string) {
	trimmed := strings.TrimSpace(string(raw.Raw))
	switch {
	case trimmed == "" || trimmed == "null":
		return "", "null"
	case trimmed == "true" || trimmed == "false":
		return trimmed, "boolean"
	case trimmed[0] == '"':
		if err := json.Unmarshal(raw.Raw, &text); err != nil {
			return "", "broken JSON"
		}
		return text, "text"
	case trimmed[0] == '[':
		return "", "a list"
	case trimmed[0] == '{':
		return "", "an object"
	}
	return trimmed, "number"
}

// badKind says that a kind of JSON value can never be of the type.
func badKind(t v1alpha1.ParameterType, kind string) string {
	switch {
	case kind == "text",
		kind == "number" && (t == v1alpha1.ParameterInteger || t == v1alpha1.ParameterQuantity),
		kind == "boolean" && t == v1alpha1.ParameterBoolean:
		return ""
	case kind == "number" || kind == "boolean":
		return fmt.Sprintf("the value is a %s, not of type %s", kind, typeName(t))
	}
	return fmt.Sprintf("the value is %s, not of type %s", kind, typeName(t))
}

func typeName(t v1alpha1.ParameterType) string {
	if t == "" {
		return string(v1alpha1.ParameterString)
	}
	return string(t)
}

// badImage says why text is no image reference, empty when it is one.
func badImage(image string) string {
	if _, err := name.ParseReference(image); err != nil {
		return fmt.Sprintf("%q is not an image reference", image)
	}
	return ""
}
