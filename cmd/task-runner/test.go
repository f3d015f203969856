package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/gotest"
	"spock.dev/spock/pkg/task/junit"
	"spock.dev/spock/pkg/task/lists"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func unitTestCommand() *cobra.Command {
	t := step.Step{Name: "unit-test", Texts: []string{"TEST_OUTPUT", "coverage", "tests", "failures"}}
	var tools goTools
	var report string
	cmd := &cobra.Command{
		Use:   "unit-test [flags] -- packages: PACKAGE... flags: FLAG...",
		Short: "Test Go packages with coverage",
		RunE: func(cmd *cobra.Command, words []string) error {
			return t.Run(func(results result.Writer, r *record.Record) error {
				wanted, err := lists.Split(words, "packages", "flags")
				if err != nil {
					return err
				}
				profile, err := os.CreateTemp("", "coverage-")
				if err != nil {
					return fmt.Errorf("make a place for the coverage: %w", err)
				}
				profile.Close()
				defer os.Remove(profile.Name())
				args := append([]string{"test", "-json", "-coverprofile=" + profile.Name()}, wanted["flags"]...)
				run := testing{cmd: cmd, task: &t, tools: &tools, report: report, profile: profile.Name(), results: results, record: r}
				return run.do("go", append(args, wanted["packages"]...), nil)
			})
		},
	}
	t.Flags(cmd)
	t.Limit(cmd)
	tools.register(cmd)
	cmd.Flags().StringVar(&report, "report", record.Directory+"/unit-test.xml", "JUnit report to write, below the workspace")
	return cmd
}

// namedFailures is how many failed tests the summary of a pipeline names.
const namedFailures = 10

// testing is one run of a command that tests.
type testing struct {
	cmd             *cobra.Command
	task            *step.Step
	tools           *goTools
	report, profile string
	// found are reports that the command itself writes, as a pattern below the sources.
	found   string
	results result.Writer
	record  *record.Record
}

// do runs the command and writes results, report and record before it says that tests
// failed.
func (t testing) do(program string, args, env []string) error {
	tools, err := t.tools.toolchain(t.cmd, t.task)
	if err != nil {
		return err
	}
	collector, problem := gotest.Run(t.cmd.Context(), tools.Command(t.cmd.Context(), program, args, env), t.cmd.OutOrStdout())
	var exit *exec.ExitError
	if problem != nil && !errors.As(problem, &exit) {
		return problem
	}
	suites, counts, err := t.collect(collector, tools.Directory, program, problem)
	if err != nil {
		return err
	}
	coverage, err := t.coverage()
	if err != nil {
		return err
	}
	t.record.Tests = &record.Tests{
		Passed: counts.Passed, Failed: counts.Failed + counts.Errors, Skipped: counts.Skipped, Coverage: coverage,
		Failures: collector.Report().Failures(namedFailures),
	}
	if err := t.write(suites, counts, coverage); err != nil {
		return err
	}
	fmt.Fprintln(t.cmd.OutOrStdout(), counts.Sentence())
	return verdict(counts, problem)
}

// collect takes the tests from the event stream, else from the reports the command wrote,
// else counts the command itself as one test.
func (t testing) collect(collector *gotest.Collector, directory, program string, problem error) (junit.Suites, gotest.Counts, error) {
	if collector.Seen() {
		report := collector.Report()
		return report.JUnit(), report.Counts(), nil
	}
	suites, err := junit.Glob(directory, t.found)
	if err != nil || len(suites.Suites) > 0 {
		return suites, gotest.CountsOf(suites), err
	}
	suites = junit.One(filepath.Base(program), problem)
	return suites, gotest.CountsOf(suites), nil
}

func (t testing) coverage() (string, error) {
	if t.profile == "" {
		return "", nil
	}
	profile, err := os.Open(t.profile)
	if err != nil {
		return "", fmt.Errorf("read the coverage: %w", err)
	}
	defer profile.Close()
	return gotest.Coverage(profile)
}

func (t testing) write(suites junit.Suites, counts gotest.Counts, coverage string) error {
	if err := junit.Write(t.task.Workspace, t.report, suites); err != nil {
		return err
	}
	output := result.NewTest(counts.Passed, counts.Failed, counts.Errors, counts.Sentence(), time.Now())
	values := map[string]string{
		"TEST_OUTPUT": output.JSON(), "tests": strconv.Itoa(counts.Tests()), "failures": strconv.Itoa(counts.Failed + counts.Errors),
	}
	if t.profile != "" {
		values["coverage"] = coverage
	}
	return t.results.Texts(values)
}

func verdict(counts gotest.Counts, problem error) error {
	switch {
	case counts.Failed+counts.Errors > 0:
		return fmt.Errorf("%d of %d tests failed, %d packages broken", counts.Failed, counts.Tests(), counts.Errors)
	case problem != nil:
		return problem
	}
	return nil
}
