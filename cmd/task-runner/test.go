package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/lists"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func unitTestCommand() *cobra.Command {
	t := step.Step{Name: "unit-test", Texts: []string{"TEST_OUTPUT", "coverage", "tests", "failures"}}
	var tools goTools
	var report, found, covered string
	cmd := &cobra.Command{
		Use:   "unit-test [flags] -- packages: PACKAGE... flags: FLAG...",
		Short: "Test Go packages with coverage, or take in what other tests have left",
		RunE: func(cmd *cobra.Command, words []string) error {
			return t.Run(func(results result.Writer, r *record.Record) error {
				wanted, err := lists.Split(words, "packages", "flags")
				if err != nil {
					return err
				}
				run := testRun{cmd: cmd, task: &t, tools: &tools, report: report, found: found, results: results, record: r}
				if found != "" {
					return run.take(covered)
				}
				if covered != "" {
					return errors.New("coverage: it goes with junit, for tests that others have run; go test tells its own")
				}
				profile, err := os.CreateTemp("", "coverage-")
				if err != nil {
					return fmt.Errorf("make a place for the coverage: %w", err)
				}
				profile.Close()
				defer os.Remove(profile.Name())
				args := append([]string{"test", "-json", "-coverprofile=" + profile.Name()}, wanted["flags"]...)
				run.profile = profile.Name()
				return run.do("go", append(args, wanted["packages"]...), nil)
			})
		},
	}
	t.Flags(cmd)
	t.Limit(cmd)
	tools.register(cmd)
	cmd.Flags().StringVar(&report, "report", record.Directory+"/unit-test.xml", "JUnit report to write, below the workspace")
	cmd.Flags().StringVar(&found, "junit", "", "pattern of the JUnit reports that other tests have left; nothing is run then")
	cmd.Flags().StringVar(&covered, "coverage", "", "pattern of their coverage files: Go, LCOV, Cobertura, JaCoCo")
	return cmd
}
