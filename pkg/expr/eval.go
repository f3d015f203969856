package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Result is evaluated text.
type Result struct {
	// Value is a string; of text that is exactly one expression it is the expression's
	// value: string, int64, bool or float64.
	Value any
	// Services are the services that the text names, each once, in the order of the text.
	Services []string
}

// Text is the value as it stands in a file.
func (r Result) Text() string {
	switch v := r.Value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return formatFloat(v)
	default:
		return fmt.Sprint(v)
	}
}

// Eval evaluates the text in a scope. The error is an *Error.
func (t *Template) Eval(scope *Scope) (Result, error) {
	var result Result
	var text strings.Builder
	named := map[string]bool{}
	for _, part := range t.parts {
		if !part.Expression {
			text.WriteString(part.Text)
			continue
		}
		value, services, err := t.evaluate(part, scope)
		if err != nil {
			return Result{}, err
		}
		for _, name := range services {
			if !named[name] {
				named[name] = true
				result.Services = append(result.Services, name)
			}
		}
		result.Value = value
		text.WriteString(Result{Value: value}.Text())
	}
	if len(t.parts) != 1 || !t.parts[0].Expression {
		result.Value = text.String()
	}
	return result, nil
}

func (t *Template) evaluate(part compiled, scope *Scope) (any, []string, error) {
	var services []string
	for _, u := range part.program.uses {
		if problem, remedy, ok := scope.check(u); !ok {
			return nil, nil, at(t.text, part.Start+u.offset, problem, remedy)
		}
		if u.root == "services" {
			services = append(services, u.name)
		}
	}
	scope.trace = trace{}
	out, _, err := part.program.run.Eval(scope.values)
	if err != nil {
		problem, remedy := scope.trace.problem, scope.trace.remedy
		if problem == "" {
			problem, remedy = inWords(err)
		}
		return nil, nil, at(t.text, part.Start, problem, remedy)
	}
	value, problem := scalar(out)
	if problem != "" {
		return nil, nil, at(t.text, part.Start, problem, "give text, a number or a boolean")
	}
	return value, append(services, scope.trace.services...), nil
}

// inWords says what an evaluation failed of, where the language's own words are too few.
func inWords(err error) (problem, remedy string) {
	message := oneLine(err.Error())
	switch {
	case strings.Contains(message, "no such overload"):
		return "the types of its values do not fit together", convert
	case strings.Contains(message, "cost limit exceeded"):
		return "it takes too much work", "make it simpler"
	}
	return message, correct
}

func scalar(v ref.Val) (value any, problem string) {
	switch v := v.(type) {
	case types.String:
		return string(v), ""
	case types.Int:
		return int64(v), ""
	case types.Bool:
		return bool(v), ""
	case types.Double:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, ""
		}
		return nil, "the result is not a finite number"
	default:
		return nil, fmt.Sprintf("the result is of type %s", v.Type().TypeName())
	}
}

// formatFloat writes a number without an exponent unless that would be unreadable.
func formatFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
