package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/github"
	"spock.dev/spock/pkg/task/jira"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
	"spock.dev/spock/pkg/task/summary"
)

// telling are the flags of the subcommands that tell another service how it went.
type telling struct {
	base, directory, file, records, title, link string
	required                                    bool
}

func (t *telling) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.directory, "credentials", "", "directory of the Secret with the token")
	f.StringVar(&t.file, "token-key", "token", "file of the token in that directory")
	f.StringVar(&t.records, "records", "", "root of the shared workspace with the records of the tasks; none when empty")
	f.StringVar(&t.title, "title", "", "first words of the comment")
	f.StringVar(&t.link, "link", "", "address of the run")
	f.StringVar(&t.base, "api", "", "address of the API")
	f.BoolVar(&t.required, "required", true, "fail when nothing could be told; else only say so")
}

// settle makes of a failure to tell a line of the log, where telling is not required: an
// environment that stands is not worse for a service that could not be told of it.
func (t *telling) settle(cmd *cobra.Command, err error) error {
	if err == nil || t.required {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "not told: %v\n", err)
	return nil
}

// client reads the token and authorizes with it.
func (t *telling) client(cmd *cobra.Command, authorize func(token string) func(*http.Request)) (*api.Client, error) {
	if t.directory == "" {
		return nil, errors.New("there is no token: bind the workspace credentials to a Secret with one")
	}
	if !filepath.IsLocal(t.file) {
		return nil, fmt.Errorf("token key %q: it leaves the directory of the Secret; name a key of it", t.file)
	}
	token, err := api.Token(filepath.Join(t.directory, t.file))
	if err != nil {
		return nil, err
	}
	return api.New(t.base, authorize(token), cmd.ErrOrStderr())
}

func (t *telling) read(entries []string) ([]summary.Status, []record.Record, error) {
	statuses, err := summary.ParseStatus(entries)
	if err != nil || t.records == "" {
		return statuses, nil, err
	}
	records, err := record.Read(t.records)
	return statuses, records, err
}

func githubCommand() *cobra.Command {
	t := step.Step{Name: "github-status", Texts: []string{"comment"}}
	var told telling
	var report github.Report
	var pull string
	cmd := &cobra.Command{
		Use:   "github-status [flags] -- TASK=STATE...",
		Short: "Set a commit status per stage on GitHub and keep one comment on the pull request",
		RunE: func(cmd *cobra.Command, entries []string) error {
			return t.Run(func(results result.Writer, _ *record.Record) error {
				address, err := tellGitHub(cmd, &told, report, pull, entries)
				if err != nil {
					return told.settle(cmd, err)
				}
				return results.Text("comment", address)
			})
		},
	}
	t.Flags(cmd)
	told.register(cmd)
	f := cmd.Flags()
	f.StringVar(&report.Repository, "repository", "", "repository as owner/name")
	f.StringVar(&report.Commit, "commit", "", "full hash of the commit; what is none, a branch for instance, is looked up in the records")
	f.StringVar(&report.Context, "context", "spock", "first part of the names of the statuses")
	f.StringVar(&pull, "pull-request", "", "number of the pull request; 0 or nothing writes no comment")
	return cmd
}

func tellGitHub(cmd *cobra.Command, told *telling, report github.Report, pull string, entries []string) (string, error) {
	statuses, records, err := told.read(entries)
	if err != nil {
		return "", err
	}
	if pull != "" {
		if report.Pull, err = strconv.Atoi(pull); err != nil {
			return "", fmt.Errorf("pull request %q: write its number, or 0 for no comment", pull)
		}
	}
	report.Link, report.Stages, report.Sentences = told.link, statuses, summary.Sentences(records)
	report.Comment = summary.Markdown(told.title, told.link, statuses, records)
	if report.Commit = summary.Commit(records, report.Commit); report.Commit == "" {
		fmt.Fprintln(cmd.OutOrStdout(), "no statuses: which commit it is was not found out")
		report.Stages = nil
	}
	client, err := told.client(cmd, github.Bearer)
	if err != nil {
		return "", err
	}
	address, err := github.New(client).Tell(cmd.Context(), report)
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%d statuses of %s at %s %s\n", len(report.Stages), report.Repository, report.Commit, address)
	}
	return address, err
}

func jiraCommand() *cobra.Command {
	t := step.Step{Name: "jira-update", Texts: []string{"comment", "status"}}
	var told telling
	var report jira.Report
	var user, failed string
	cmd := &cobra.Command{
		Use:   "jira-update [flags] -- TASK=STATE...",
		Short: "Keep a comment and a link at a Jira issue, and move it",
		RunE: func(cmd *cobra.Command, entries []string) error {
			return t.Run(func(results result.Writer, _ *record.Record) error {
				got, err := tellJira(cmd, &told, report, user, failed, entries)
				if written := results.Texts(map[string]string{"comment": got.Comment, "status": got.Status}); written != nil {
					return written
				}
				return told.settle(cmd, err)
			})
		},
	}
	t.Flags(cmd)
	told.register(cmd)
	f := cmd.Flags()
	f.StringVar(&report.Issue, "issue", "", "key of the issue")
	f.StringVar(&report.Context, "context", "spock", "what comment and link are found again by")
	f.StringVar(&report.Transition, "transition", "", "name of the transition, or of the status it leads to, when all tasks went well; empty moves nothing")
	f.StringVar(&failed, "failed-transition", "", "the same when a task failed or was not run")
	f.StringVar(&user, "user", "", "user of the API token, on Cloud; empty uses a personal access token")
	return cmd
}

func tellJira(cmd *cobra.Command, told *telling, report jira.Report, user, failed string, entries []string) (jira.Told, error) {
	statuses, records, err := told.read(entries)
	if err != nil {
		return jira.Told{}, err
	}
	if len(statuses) > 0 {
		report.Comment = summary.Plain(told.title, told.link, statuses, records)
	}
	if !summary.Well(statuses) {
		report.Transition = failed
	}
	report.Title = told.title
	if report.Link = summary.URL(records); report.Link == "" {
		report.Link = told.link
	}
	client, err := told.client(cmd, func(token string) func(*http.Request) { return jira.Authorize(user, token) })
	if err != nil {
		return jira.Told{}, err
	}
	got, err := jira.New(client).Tell(cmd.Context(), report)
	if err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSpace(fmt.Sprintf("told %s %s %s", report.Issue, got.Status, got.Comment)))
	}
	return got, err
}
