package expr

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/ext"

	"spock.dev/spock/pkg/nearest"
)

// costLimit bounds the work of one evaluation; an ordinary expression costs below 50.
const costLimit = 100_000

// Compiler compiles text and keeps every distinct expression, so that the services of
// one template share the work. It is not for concurrent use.
type Compiler struct {
	language *cel.Env
	programs map[string]*program
}

// program is one compiled expression, or why it is none.
type program struct {
	run  cel.Program
	uses []use
	flaw *flaw
}

// flaw is a problem at a byte offset of an expression's source.
type flaw struct {
	offset          int
	problem, remedy string
}

// Template is compiled text.
type Template struct {
	text  string
	parts []compiled
}

type compiled struct {
	Part
	program *program
}

// language is the CEL environment of all expressions. It never changes, and building it
// costs more than compiling hundreds of expressions.
var language = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		ext.Strings(),
		cel.Variable("params", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("services", cel.MapType(cel.StringType, cel.MapType(cel.StringType, cel.DynType))),
		cel.Variable("environment", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("service", cel.MapType(cel.StringType, cel.StringType)),
	)
})

// NewCompiler returns a Compiler without any expression.
func NewCompiler() (*Compiler, error) {
	env, err := language()
	if err != nil {
		return nil, fmt.Errorf("preparing the expression language: %w", err)
	}
	return &Compiler{language: env, programs: map[string]*program{}}, nil
}

// Compile compiles the expressions of text. The error is an *Error about the first
// expression that is wrong whatever the values are.
func (c *Compiler) Compile(text string) (*Template, error) {
	parts, err := Split(text)
	if err != nil {
		return nil, err
	}
	t := &Template{text: text}
	for _, part := range parts {
		next := compiled{Part: part}
		if part.Expression {
			next.program = c.program(part.Text)
			if f := next.program.flaw; f != nil {
				return nil, at(text, part.Start+f.offset, f.problem, f.remedy)
			}
		}
		t.parts = append(t.parts, next)
	}
	return t, nil
}

func (c *Compiler) program(source string) *program {
	p, ok := c.programs[source]
	if !ok {
		p = c.compile(source)
		c.programs[source] = p
	}
	return p
}

func (c *Compiler) compile(source string) *program {
	parsed, issues := c.language.Parse(source)
	if issues.Err() != nil {
		return &program{flaw: languageFlaw(source, issues.Errors())}
	}
	uses, f := inspect(source, parsed.NativeRep())
	if f != nil {
		return &program{flaw: f}
	}
	checked, issues := c.language.Check(parsed)
	if issues.Err() != nil {
		return &program{flaw: languageFlaw(source, issues.Errors())}
	}
	run, err := c.language.Program(checked, cel.CostLimit(costLimit))
	if err != nil {
		return &program{flaw: &flaw{problem: oneLine(err.Error()), remedy: correct}}
	}
	return &program{run: run, uses: uses}
}

const (
	correct = "correct the expression"
	convert = "convert one of them, as in string(params.size)"
)

var undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)

// languageFlaw turns the first of CEL's own errors into a flaw.
func languageFlaw(source string, errs []*common.Error) *flaw {
	if len(errs) == 0 {
		return &flaw{problem: "it does not compile", remedy: correct}
	}
	first := errs[0]
	offset := byteOffset(source, first.Location.Line(), first.Location.Column())
	if m := undeclared.FindStringSubmatch(first.Message); m != nil {
		return &flaw{offset, fmt.Sprintf("there is no %q", m[1]), nearest.Hint(m[1], roots, "")}
	}
	if strings.HasPrefix(first.Message, "found no matching overload") {
		return &flaw{offset, oneLine(first.Message), convert}
	}
	return &flaw{offset, oneLine(first.Message), correct}
}

// byteOffset turns CEL's line (from 1) and column (from 0, in code points) into bytes.
func byteOffset(source string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(source[offset:], '\n')
		if n < 0 {
			break
		}
		offset += n + 1
	}
	for ; column > 0 && offset < len(source); column-- {
		_, size := utf8.DecodeRuneInString(source[offset:])
		offset += size
	}
	return offset
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
