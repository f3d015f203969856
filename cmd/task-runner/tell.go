package main

import (
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/github"
	"spock.dev/spock/pkg/task/jira"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/summary"
)

// telling are the flags of the subcommands that tell another service how it went.
type telling struct {
	base, directory, file, records, title, link string
}

func (t *telling) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.directory, "credentials", "", "directory of the Secret with the token")
	f.StringVar(&t.file, "token-key", "token", "file of the token in that directory")
	f.StringVar(&t.records, "records", "", "root of the shared workspace with the records of the tasks; none when empty")
	f.StringVar(&t.title, "title", "", "first words of the comment")
	f.StringVar(&t.link, "link", "", "address of the run")
	f.StringVar(&t.base, "api", "", "address of the API")
}

// client reads the token and authorizes with it.
func (t *telling) client(cmd *cobra.Command, authorize func(token string) func(*http.Request)) (*api.Client, error) {
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
	t := task{name: "github-status", texts: []string{"comment"}}
	var told telling
	var report github.Report
	cmd := &cobra.Command{
		Use:   "github-status [flags] -- TASK=STATE...",
		Short: "Set a commit status per stage on GitHub and keep one comment on the pull request",
		RunE: func(cmd *cobra.Command, entries []string) error {
			return t.run(func(results result.Writer, _ *record.Record) error {
				statuses, records, err := told.read(entries)
				if err != nil {
					return err
				}
				report.Link, report.Stages, report.Sentences = told.link, statuses, summary.Sentences(records)
				report.Comment = summary.Markdown(told.title, told.link, statuses, records)
				client, err := told.client(cmd, github.Bearer)
				if err != nil {
					return err
				}
				address, err := github.New(client).Tell(cmd.Context(), report)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d statuses of %s at %s %s\n", len(statuses), report.Repository, report.Commit, address)
				return results.Text("comment", address)
			})
		},
	}
	t.flags(cmd)
	told.register(cmd)
	f := cmd.Flags()
	f.StringVar(&report.Repository, "repository", "", "repository as owner/name")
	f.StringVar(&report.Commit, "commit", "", "full hash of the commit")
	f.StringVar(&report.Context, "context", "spock", "first part of the names of the statuses")
	f.IntVar(&report.Pull, "pull-request", 0, "number of the pull request; 0 writes no comment")
	return cmd
}

func jiraCommand() *cobra.Command {
	t := task{name: "jira-update", texts: []string{"comment", "status"}}
	var told telling
	var report jira.Report
	var user string
	cmd := &cobra.Command{
		Use:   "jira-update [flags] -- TASK=STATE...",
		Short: "Keep a comment and a link at a Jira issue, and move it",
		RunE: func(cmd *cobra.Command, entries []string) error {
			return t.run(func(results result.Writer, _ *record.Record) error {
				statuses, records, err := told.read(entries)
				if err != nil {
					return err
				}
				if len(statuses) > 0 {
					report.Comment = summary.Plain(told.title, told.link, statuses, records)
				}
				report.Title = told.title
				if report.Link = summary.URL(records); report.Link == "" {
					report.Link = told.link
				}
				client, err := told.client(cmd, func(token string) func(*http.Request) { return jira.Authorize(user, token) })
				if err != nil {
					return err
				}
				got, err := jira.New(client).Tell(cmd.Context(), report)
				if written := results.Texts(map[string]string{"comment": got.Comment, "status": got.Status}); written != nil {
					return written
				}
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "told %s %s %s\n", report.Issue, got.Status, got.Comment)
				}
				return err
			})
		},
	}
	t.flags(cmd)
	told.register(cmd)
	f := cmd.Flags()
	f.StringVar(&report.Issue, "issue", "", "key of the issue")
	f.StringVar(&report.Context, "context", "spock", "what comment and link are found again by")
	f.StringVar(&report.Transition, "transition", "", "name of the transition, or of the status it leads to; empty moves nothing")
	f.StringVar(&user, "user", "", "user of the API token, on Cloud; empty uses a personal access token")
	return cmd
}
