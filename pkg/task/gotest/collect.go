package gotest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is a line of `go test -json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// Collector takes the lines of a stream, one by one. The zero value is ready. It is not
// safe for concurrent use.
type Collector struct {
	running map[string]*Package
	tests   map[[2]string]*Test
	build   map[string]*strings.Builder
	order   map[string][]string
	done    []Package
}

// Line takes a line and returns what to show of it, which may be nothing: the output of a
// test when it failed, what packages say about themselves, and lines that are no events.
func (c *Collector) Line(line []byte) string {
	var e event
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &e) != nil || e.Action == "" {
		return string(line) + "\n"
	}
	if c.running == nil {
		c.running, c.tests = map[string]*Package{}, map[[2]string]*Test{}
		c.build, c.order = map[string]*strings.Builder{}, map[string][]string{}
	}
	switch {
	case e.Action == "build-output":
		return c.built(e)
	case e.Package == "":
		return ""
	case e.Test != "":
		return c.test(e)
	}
	return c.pkg(e)
}

// Report is what is known so far; packages that never ended are failed ones.
func (c *Collector) Report() Report {
	report := Report{Packages: slices.Clone(c.done)}
	for _, name := range slices.Sorted(maps.Keys(c.running)) {
		p := *c.running[name]
		p.Outcome, p.Tests = Failed, c.finish(name)
		report.Packages = append(report.Packages, p)
	}
	return report
}

// Seen says whether the stream held any event.
func (c *Collector) Seen() bool { return c.running != nil }

func (c *Collector) built(e event) string {
	if c.build[e.ImportPath] == nil {
		c.build[e.ImportPath] = &strings.Builder{}
	}
	c.build[e.ImportPath].WriteString(e.Output)
	return e.Output
}

func (c *Collector) test(e event) string {
	key := [2]string{e.Package, e.Test}
	t := c.tests[key]
	if t == nil {
		t = &Test{Name: e.Test}
		c.tests[key] = t
		c.order[e.Package] = append(c.order[e.Package], e.Test)
	}
	switch e.Action {
	case "output":
		// The frame around a test says nothing that its events do not say.
		if !strings.HasPrefix(e.Output, "=== ") {
			t.Output += e.Output
		}
	case "pass", "fail", "skip":
		t.Outcome, t.Elapsed = Outcome(e.Action), elapsed(e)
		if e.Action == "fail" {
			return t.Output
		}
	}
	return ""
}

func (c *Collector) pkg(e event) string {
	p := c.running[e.Package]
	if p == nil {
		p = &Package{Name: e.Package}
		c.running[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.Output += e.Output
		if e.Output != "PASS\n" && !strings.HasPrefix(e.Output, "coverage: ") {
			return e.Output
		}
	case "pass", "fail", "skip":
		p.Outcome, p.Elapsed, p.Tests = Outcome(e.Action), elapsed(e), c.finish(e.Package)
		if out := c.build[e.FailedBuild]; out != nil {
			p.Output = out.String() + p.Output
		}
		delete(c.running, e.Package)
		c.done = append(c.done, *p)
	}
	return ""
}

// finish hands over the tests of a package. One that never ended went down with it.
func (c *Collector) finish(pkg string) []Test {
	var out []Test
	for _, name := range c.order[pkg] {
		t := *c.tests[[2]string{pkg, name}]
		if t.Outcome == "" {
			t.Outcome = Failed
			t.Output += "the test did not end\n"
		}
		out = append(out, t)
	}
	return out
}

func elapsed(e event) time.Duration { return time.Duration(e.Elapsed * float64(time.Second)) }
