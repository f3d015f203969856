package health

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// ruleCost bounds what one evaluation may do: enough for lists of thousands, and too
// little for a rule to hold the engine up.
const ruleCost = 1_000_000

// rule is a template's readiness rule, ready to be asked.
type rule struct {
	expression string
	program    cel.Program
}

// ruleFor finds and compiles the rule for an object's kind. Without one both results
// are nil; a rule that cannot be asked is a fault.
func ruleFor(obj *unstructured.Unstructured, rules []v1alpha1.ReadyRule) (*rule, *Verdict) {
	for i := range rules {
		if rules[i].APIVersion != obj.GetAPIVersion() || rules[i].Kind != obj.GetKind() {
			continue
		}
		program, err := programs.get(rules[i].Expression)
		if err != nil {
			fault := faultyRule(obj, rules[i].Expression, err.Error())
			return nil, &fault
		}
		return &rule{expression: rules[i].Expression, program: program}, nil
	}
	return nil, nil
}

// of asks the rule. A field that is not there yet is not a failure of the rule.
func (r *rule) of(obj *unstructured.Unstructured) Verdict {
	if strings.TrimSpace(r.expression) == "true" {
		return ready("in force")
	}
	if !hasStatus(obj) {
		return progressing("%s has no status yet", title(obj))
	}
	answer, _, err := r.program.Eval(map[string]any{"object": obj.Object})
	if err != nil {
		return progressing("%s is not ready: the rule for its kind cannot tell yet (%s)", title(obj), oneLine(err.Error(), 120))
	}
	holds, isBool := answer.(types.Bool)
	switch {
	case !isBool:
		return faultyRule(obj, r.expression, fmt.Sprintf("it gives a value of type %s instead of true or false", answer.Type().TypeName()))
	case bool(holds):
		return ready("the rule for its kind holds")
	default:
		return progressing("%s is not ready: the rule for its kind does not hold yet (%s)", title(obj), oneLine(r.expression, 120))
	}
}

func faultyRule(obj *unstructured.Unstructured, expression, problem string) Verdict {
	return failed(obj, v1alpha1.CauseConfig,
		fmt.Sprintf("the ready rule for %s %s is wrong: %s", obj.GetAPIVersion(), obj.GetKind(), oneLine(problem, 200)),
		fmt.Sprintf("correct container.ready of the template, now `%s`: a CEL expression over `object` that is true when it is ready", oneLine(expression, 120)))
}

// compile makes a program of an expression, or says what is wrong with it.
func compile(expression string) (cel.Program, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("preparing the rule language: %w", err)
	}
	parsed, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, firstIssue(issues)
	}
	if result := parsed.OutputType(); !result.IsExactType(cel.BoolType) && !result.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("it gives a value of type %s instead of true or false", result)
	}
	return env.Program(parsed, cel.CostLimit(ruleCost))
}

func firstIssue(issues *cel.Issues) error {
	first := issues.Errors()[0]
	return fmt.Errorf("column %d: %s", first.Location.Column()+1, first.Message)
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("object", cel.DynType), cel.OptionalTypes(), ext.Strings())
})
