package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/lists"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func integrationTestCommand() *cobra.Command {
	t := step.Step{Name: "integration-test", Texts: []string{"TEST_OUTPUT", "tests", "failures"}}
	var tools goTools
	var report, found, url, environment, namespace string
	cmd := &cobra.Command{
		Use:   "integration-test [flags] -- env: NAME=VALUE... artifacts: PATTERN... command: COMMAND ARGUMENT...",
		Short: "Run a command that tests an environment",
		RunE: func(cmd *cobra.Command, words []string) error {
			return t.Run(func(results result.Writer, r *record.Record) error {
				wanted, err := lists.Split(words, "env", "artifacts", "command")
				if err != nil {
					return err
				}
				command := wanted["command"]
				if len(command) == 0 {
					return errors.New("command: it is empty; give the command that tests the environment")
				}
				if err := findGo(); err != nil {
					return err
				}
				run := testRun{cmd: cmd, task: &t, tools: &tools, report: report, found: found, results: results, record: r}
				run.keep = kept{log: record.Directory + "/integration-test.log", patterns: wanted["artifacts"], folder: record.Directory + "/artifacts"}
				env := []string{"SPOCK_URL=" + url, "SPOCK_ENVIRONMENT=" + environment, "SPOCK_NAMESPACE=" + namespace}
				return run.do(command[0], command[1:], append(env, wanted["env"]...))
			})
		},
	}
	t.Flags(cmd)
	t.Limit(cmd)
	tools.register(cmd)
	f := cmd.Flags()
	f.StringVar(&report, "report", record.Directory+"/integration-test.xml", "JUnit report to write, below the workspace")
	f.StringVar(&found, "junit", "", "pattern of the JUnit reports that the command writes, below the sources")
	f.StringVar(&tools.image, "directory", "", "absolute directory of the image that the command runs in; the sources when empty")
	f.StringVar(&url, "url", "", "URL of the environment")
	f.StringVar(&environment, "environment", "", "name of the environment")
	f.StringVar(&namespace, "namespace", "", "namespace in which its services run")
	return cmd
}

// findGo puts the Go toolchain of the Task's own image behind what an image of a team's own has.
func findGo() error {
	return os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/go/bin")
}
