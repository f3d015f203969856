package render

import (
	"errors"
	"fmt"

	"spock.dev/spock/pkg/expr"
	"spock.dev/spock/pkg/manifest"
	sources "spock.dev/spock/pkg/source"
)

// Error is one thing that is wrong with the input.
type Error struct {
	// Field is where, as a person finds it: `product.spec.groups[1].services[0] (orders)`.
	Field string
	// Problem is what is wrong.
	Problem string
	// Remedy is what to do.
	Remedy string
}

func (e *Error) Error() string {
	if e.Remedy == "" {
		return e.Field + ": " + e.Problem
	}
	return e.Field + ": " + e.Problem + "; " + e.Remedy
}

// problems collects errors in the order they are found, each sentence once: a template
// used by many services is wrong once.
type problems struct {
	list []error
	seen map[Error]bool
}

func (p *problems) add(field, remedy, format string, args ...any) {
	p.put(Error{Field: field, Problem: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (p *problems) put(e Error) {
	if p.seen[e] {
		return
	}
	if p.seen == nil {
		p.seen = map[Error]bool{}
	}
	p.seen[e] = true
	p.list = append(p.list, &e)
}

// wrap adds an error of an expression or manifest.
func (p *problems) wrap(field string, err error) {
	var inManifest *manifest.Error
	var inExpression *expr.Error
	var inSource *sources.Error
	e := Error{Field: field, Problem: err.Error()}
	switch {
	case errors.As(err, &inExpression):
		e.Problem, e.Remedy = inExpression.Sentence(), inExpression.Remedy
		if errors.As(err, &inManifest) {
			e.Problem = inManifest.Where + ": " + e.Problem
		}
	case errors.As(err, &inManifest):
		e.Problem, e.Remedy = inManifest.Problem, inManifest.Remedy
		if inManifest.Where != "" {
			e.Problem = inManifest.Where + ": " + e.Problem
		}
	case errors.As(err, &inSource):
		e.Problem, e.Remedy = inSource.Problem, inSource.Remedy
	}
	p.put(e)
}

func (p *problems) any() bool  { return len(p.list) > 0 }
func (p *problems) err() error { return errors.Join(p.list...) }
