// Package gotest understands the event stream of `go test -json`: while it comes it says
// what a person wants to read, and at the end it knows every test, for a report and for
// results. It starts no tests itself except through Run.
package gotest

import (
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/task/junit"
)

// Outcome of a test.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
)

// Test is one test, subtests included.
type Test struct {
	Name    string
	Outcome Outcome
	Elapsed time.Duration
	// Output is what it wrote.
	Output string
}

// Package is a tested package.
type Package struct {
	Name    string
	Outcome Outcome
	Elapsed time.Duration
	Tests   []Test
	// Output is what the package wrote outside its tests, or the compiler about it.
	Output string
}

// broken says that the package failed although none of its tests did: it did not build,
// or died outside a test.
func (p Package) broken() bool {
	if p.Outcome != Failed {
		return false
	}
	for _, t := range p.Tests {
		if t.Outcome == Failed {
			return false
		}
	}
	return true
}

// Report is everything that was tested, in the order in which it ended.
type Report struct {
	Packages []Package
}

// Counts of a report.
type Counts struct {
	Passed, Failed, Skipped int
	// Errors are packages that failed without a failed test.
	Errors int
}

// Tests is the number of all tests that ran or were skipped.
func (c Counts) Tests() int { return c.Passed + c.Failed + c.Skipped }

// Sentence says the counts in words.
func (c Counts) Sentence() string {
	words := []string{fmt.Sprintf("%d passed", c.Passed)}
	for _, part := range []struct {
		n    int
		what string
	}{{c.Failed, "failed"}, {c.Skipped, "skipped"}, {c.Errors, "packages broken"}} {
		if part.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return strings.Join(words, ", ")
}

// Counts counts.
func (r Report) Counts() Counts {
	var c Counts
	for _, p := range r.Packages {
		if p.broken() {
			c.Errors++
		}
		for _, t := range p.Tests {
			switch t.Outcome {
			case Passed:
				c.Passed++
			case Failed:
				c.Failed++
			case Skipped:
				c.Skipped++
			}
		}
	}
	return c
}

// Failures are the names of what failed, package by package, at most so many. A test that
// has failed subtests is not named beside them.
func (r Report) Failures(most int) []string {
	var out []string
	for _, p := range r.Packages {
		if p.broken() {
			out = append(out, p.Name)
		}
		for i, t := range p.Tests {
			if t.Outcome == Failed && !failedBelow(p.Tests, i) {
				out = append(out, p.Name+"."+t.Name)
			}
		}
	}
	return out[:min(len(out), most)]
}

func failedBelow(tests []Test, parent int) bool {
	for _, t := range tests {
		if t.Outcome == Failed && strings.HasPrefix(t.Name, tests[parent].Name+"/") {
			return true
		}
	}
	return false
}

// JUnit is the report in JUnit's terms.
func (r Report) JUnit() junit.Suites {
	var out junit.Suites
	var total time.Duration
	for _, p := range r.Packages {
		suite := junit.Suite{Name: p.Name, Time: seconds(p.Elapsed)}
		total += p.Elapsed
		if p.broken() {
			suite.Cases = append(suite.Cases, junit.Case{Classname: p.Name, Name: "package",
				Error: &junit.Problem{Message: "the package failed outside its tests", Text: junit.Clean(p.Output)}})
		}
		for _, t := range p.Tests {
			suite.Cases = append(suite.Cases, t.junit(p.Name))
		}
		out.Suites = append(out.Suites, suite)
	}
	out.Time = seconds(total)
	return out
}

func (t Test) junit(pkg string) junit.Case {
	c := junit.Case{Classname: pkg, Name: t.Name, Time: seconds(t.Elapsed)}
	switch t.Outcome {
	case Failed:
		c.Failure = &junit.Problem{Message: "failed", Text: junit.Clean(t.Output)}
	case Skipped:
		c.Skipped = &junit.Problem{Message: junit.Clean(strings.TrimSpace(t.Output))}
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// CountsOf counts the cases of any report.
func CountsOf(report junit.Suites) Counts {
	var c Counts
	for _, s := range report.Suites {
		for _, test := range s.Cases {
			switch {
			case test.Error != nil, test.Failure != nil:
				c.Failed++
			case test.Skipped != nil:
				c.Skipped++
			default:
				c.Passed++
			}
		}
	}
	return c
}
