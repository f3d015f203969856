package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/coverage"
	"spock.dev/spock/pkg/task/gotest"
	"spock.dev/spock/pkg/task/junit"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
	"spock.dev/spock/pkg/task/toolchain"
)

// namedFailures is how many failed tests the summary of a pipeline names.
const namedFailures = 10

// testRun is one run of a command that tests, or what one has left.
type testRun struct {
	cmd             *cobra.Command
	task            *step.Step
	tools           *goTools
	report, profile string
	// found are reports that the command itself writes, as a pattern below where it runs.
	found   string
	keep    kept
	results result.Writer
	record  *record.Record
}

// do runs the command and writes results, report and record before it says that tests
// failed.
func (t testRun) do(program string, args, env []string) error {
	tools, err := t.tools.toolchain(t.cmd, t.task)
	if err != nil {
		return err
	}
	collector, problem := t.run(tools, program, args, env)
	var exit *exec.ExitError
	if problem != nil && !errors.As(problem, &exit) {
		return problem
	}
	suites, counts, err := t.collect(collector, tools.Directory, program, problem)
	if err != nil {
		return err
	}
	share, err := t.coverage()
	if err != nil {
		return err
	}
	if err := t.keep.files(t.task.Workspace, tools.Directory); err != nil {
		return err
	}
	failures := collector.Report().Failures(namedFailures)
	if !collector.Seen() {
		failures = t.name(suites)
	}
	return errors.Join(t.write(suites, counts, share, failures), verdict(counts, problem))
}

func (t testRun) run(tools toolchain.Toolchain, program string, args, env []string) (*gotest.Collector, error) {
	log, err := t.keep.open(t.task.Workspace)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	tools.Log = io.MultiWriter(tools.Log, log)
	ctx := t.cmd.Context()
	return gotest.Run(ctx, tools.Command(ctx, program, args, env), io.MultiWriter(t.cmd.OutOrStdout(), log))
}

// take reads the reports of tests, and how much they covered, that others have left.
func (t testRun) take(covered string) error {
	tools, err := t.tools.toolchain(t.cmd, t.task)
	if err != nil {
		return err
	}
	suites, err := junit.Glob(tools.Directory, t.found)
	if err == nil && len(suites.Suites) == 0 {
		err = fmt.Errorf("junit %q: there is no report in %s; is that where the tests leave them?", t.found, tools.Directory)
	}
	if err != nil {
		return err
	}
	counts, share := gotest.CountsOf(suites), coverage.Share{}
	text := ""
	if covered != "" {
		if share, err = coverage.Glob(tools.Directory, covered); err != nil {
			return err
		}
		text = share.Percent()
	}
	return errors.Join(t.write(suites, counts, text, t.name(suites)), verdict(counts, nil))
}

// name tells the log what failed, and why, and returns the names for the summary.
func (t testRun) name(suites junit.Suites) []string {
	var names []string
	for _, f := range suites.Failed() {
		fmt.Fprintf(t.cmd.OutOrStdout(), "--- FAIL: %s: %s\n", f.Name, f.Why)
		names = append(names, f.Name)
	}
	return names[:min(len(names), namedFailures)]
}

// collect takes the tests from the event stream, else from the reports the command wrote,
// else counts the command itself as one test.
func (t testRun) collect(collector *gotest.Collector, directory, program string, problem error) (junit.Suites, gotest.Counts, error) {
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

func (t testRun) coverage() (string, error) {
	if t.profile == "" {
		return "", nil
	}
	profile, err := os.ReadFile(t.profile)
	if err != nil {
		return "", fmt.Errorf("read the coverage: %w", err)
	}
	if len(profile) == 0 { // nothing was compiled
		return "0.0", nil
	}
	share, err := coverage.Read(profile)
	if err != nil {
		return "", fmt.Errorf("read the coverage: %w", err)
	}
	return share.Percent(), nil
}

func (t testRun) write(suites junit.Suites, counts gotest.Counts, share string, failures []string) error {
	t.record.Tests = &record.Tests{
		Passed: counts.Passed, Failed: counts.Failed + counts.Errors, Skipped: counts.Skipped, Coverage: share, Failures: failures,
	}
	if err := junit.Write(t.task.Workspace, t.report, suites); err != nil {
		return err
	}
	output := result.NewTest(counts.Passed, counts.Failed, counts.Errors, counts.Sentence(), time.Now())
	values := map[string]string{
		"TEST_OUTPUT": output.JSON(), "tests": strconv.Itoa(counts.Tests()), "failures": strconv.Itoa(counts.Failed + counts.Errors),
	}
	if share != "" {
		values["coverage"] = share
	}
	fmt.Fprintln(t.cmd.OutOrStdout(), counts.Sentence())
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
