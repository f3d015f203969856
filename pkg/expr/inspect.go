package expr

import (
	"fmt"
	"sort"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"spock.dev/spock/pkg/nearest"
)

// The names an expression may start with, and the attributes that do not depend on a
// product.
var (
	roots                 = []string{"params", "services", "environment", "service"}
	serviceAttributes     = []string{"host", "port", "ports", "url", "image"}
	environmentAttributes = []string{"name", "namespace", "class", "product", "domain"}
	selfAttributes        = []string{"name", "group", "image"}
)

// use is a place where an expression names a parameter or service by a constant.
type use struct {
	root, name string
	offset     int
}

// inspect walks a parsed expression: it returns the parameters and services that the
// expression names, in the order of the text, or what is wrong with it whatever the
// product is.
func inspect(source string, parsed *ast.AST) ([]use, *flaw) {
	in := &inspection{source: source, info: parsed.SourceInfo()}
	root := ast.NavigateAST(parsed)
	for _, loop := range ast.MatchDescendants(root, ast.KindMatcher(ast.ComprehensionKind)) {
		in.loop(loop)
	}
	for _, name := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		in.name(name)
	}
	sort.SliceStable(in.flaws, func(i, j int) bool { return in.flaws[i].offset < in.flaws[j].offset })
	if len(in.flaws) > 0 {
		return nil, in.flaws[0]
	}
	sort.SliceStable(in.uses, func(i, j int) bool { return in.uses[i].offset < in.uses[j].offset })
	return in.uses, nil
}

type inspection struct {
	source string
	info   *ast.SourceInfo
	uses   []use
	flaws  []*flaw
}

func (in *inspection) offset(e ast.Expr) int {
	location := in.info.GetStartLocation(e.ID())
	return byteOffset(in.source, location.Line(), location.Column())
}

func (in *inspection) refuse(e ast.Expr, problem, remedy string) {
	in.flaws = append(in.flaws, &flaw{in.offset(e), problem, remedy})
}

// loop refuses a loop variable that hides one of the roots: what it stands for could not
// be told from the text.
func (in *inspection) loop(e ast.NavigableExpr) {
	for _, root := range roots {
		if c := e.AsComprehension(); c.IterVar() == root || c.IterVar2() == root {
			in.refuse(e, fmt.Sprintf("the loop variable %q hides what %s means", root, root), "choose another name")
		}
	}
}

// name looks at what follows a root: `.NAME`, `["NAME"]`, or something dynamic.
func (in *inspection) name(e ast.NavigableExpr) {
	root := e.AsIdent()
	step, found := follow(e)
	switch root {
	case "params":
		in.use(e, root, step, found)
	case "services":
		in.use(e, root, step, found)
		in.service(step)
	case "environment":
		in.attribute(step, "environment", environmentAttributes)
	case "service":
		in.attribute(step, "service", selfAttributes)
	}
}

// use records a constant name and refuses the root alone. A dynamic name is recorded by
// the evaluation.
func (in *inspection) use(e ast.NavigableExpr, root string, step step, found bool) {
	switch {
	case !found:
		in.refuse(e, fmt.Sprintf("%q cannot be used as a whole", root), fmt.Sprintf("name one of them: %s.NAME or %s['NAME']", root, root))
	case step.constant:
		in.uses = append(in.uses, use{root, step.name, in.offset(e)})
	}
}

// service checks the attribute after services.NAME.
func (in *inspection) service(s step) {
	if s.to != nil {
		next, _ := follow(s.to)
		in.attribute(next, "services.NAME", serviceAttributes)
	}
}

func (in *inspection) attribute(s step, of string, known []string) {
	if !s.constant {
		return
	}
	for _, name := range known {
		if s.name == name {
			return
		}
	}
	in.refuse(s.to, fmt.Sprintf("%s has no %q", of, s.name), nearest.Hint(s.name, known, ""))
}

// step is what an operand is followed by: a member, by a constant name or not.
type step struct {
	to       ast.NavigableExpr
	name     string
	constant bool
}

func follow(e ast.NavigableExpr) (step, bool) {
	parent, ok := e.Parent()
	if !ok {
		return step{}, false
	}
	switch parent.Kind() {
	case ast.SelectKind:
		return step{parent, parent.AsSelect().FieldName(), true}, true
	case ast.CallKind:
		call := parent.AsCall()
		if call.FunctionName() != operators.Index || len(call.Args()) != 2 || call.Args()[0].ID() != e.ID() {
			return step{}, false
		}
		if key := call.Args()[1]; key.Kind() == ast.LiteralKind {
			if name, ok := key.AsLiteral().(types.String); ok {
				return step{parent, string(name), true}, true
			}
		}
		return step{to: parent}, true
	}
	return step{}, false
}
