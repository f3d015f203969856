// Package junit writes and reads test reports in the JUnit XML dialect that test
// dashboards agree on: suites of cases with a time, a failure, an error or a skip.
package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Suites is a report.
type Suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr,omitempty"`
	Suites   []Suite  `xml:"testsuite"`
}

// Suite is a group of cases, a package for Go.
type Suite struct {
	XMLName   xml.Name `xml:"testsuite"`
	Name      string   `xml:"name,attr"`
	Tests     int      `xml:"tests,attr"`
	Failures  int      `xml:"failures,attr"`
	Errors    int      `xml:"errors,attr"`
	Skipped   int      `xml:"skipped,attr"`
	Time      string   `xml:"time,attr,omitempty"`
	Timestamp string   `xml:"timestamp,attr,omitempty"`
	Cases     []Case   `xml:"testcase"`
	Nested    []Suite  `xml:"testsuite"`
}

// Case is one test.
type Case struct {
	Classname string   `xml:"classname,attr"`
	Name      string   `xml:"name,attr"`
	Time      string   `xml:"time,attr,omitempty"`
	Failure   *Problem `xml:"failure,omitempty"`
	Error     *Problem `xml:"error,omitempty"`
	Skipped   *Problem `xml:"skipped,omitempty"`
}

// Problem says why a case did not pass.
type Problem struct {
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Marshal counts the cases and writes the report.
func Marshal(report Suites) ([]byte, error) {
	report.Tests, report.Failures, report.Errors, report.Skipped = 0, 0, 0, 0
	for i := range report.Suites {
		s := &report.Suites[i]
		s.count()
		report.Tests += s.Tests
		report.Failures += s.Failures
		report.Errors += s.Errors
		report.Skipped += s.Skipped
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return nil, fmt.Errorf("write the test report: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func (s *Suite) count() {
	s.Tests, s.Failures, s.Errors, s.Skipped = len(s.Cases), 0, 0, 0
	for i := range s.Cases {
		switch c := &s.Cases[i]; {
		case c.Error != nil:
			s.Errors++
		case c.Failure != nil:
			s.Failures++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}

// Unmarshal reads a report whose root is testsuites or a single testsuite; nested suites
// are laid flat and the counts are taken from the cases.
func Unmarshal(raw []byte) (Suites, error) {
	var report Suites
	problem := xml.Unmarshal(raw, &report)
	if problem != nil {
		var one Suite
		if err := xml.Unmarshal(raw, &one); err != nil {
			return Suites{}, errors.Join(fmt.Errorf("read the test report: neither testsuites nor testsuite: %w", problem), err)
		}
		report = Suites{Suites: []Suite{one}}
	}
	report.Suites = flat(report.Suites)
	for i := range report.Suites {
		report.Suites[i].count()
	}
	return report, nil
}

func flat(suites []Suite) []Suite {
	var out []Suite
	for _, s := range suites {
		nested := s.Nested
		s.Nested = nil
		if len(s.Cases) > 0 || len(nested) == 0 {
			out = append(out, s)
		}
		out = append(out, flat(nested)...)
	}
	return out
}

// Clean makes any output fit for XML: what XML cannot hold becomes a replacement sign.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || (r < 0x20 && r != '\n' && r != '\t') || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}
