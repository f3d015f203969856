package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with an expression, where in its text, and what to do.
type Error struct {
	// Line and Column of the text the expression stands in, from 1.
	Line, Column int
	// Problem and Remedy are clauses without a full stop.
	Problem, Remedy string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s; %s", e.Sentence(), e.Remedy)
}

// Sentence is the problem with its position, without the remedy. The line is left out
// of the first line, since most texts have only one.
func (e *Error) Sentence() string {
	if e.Line <= 1 {
		return fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// at makes an Error for the byte offset in text.
func at(text string, offset int, problem, remedy string) *Error {
	before := text[:min(max(offset, 0), len(text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Line:    strings.Count(before, "\n") + 1,
		Column:  utf8.RuneCountInString(before[line:]) + 1,
		Problem: problem,
		Remedy:  remedy,
	}
}
