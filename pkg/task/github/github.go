// Package github tells GitHub how a pipeline went: a commit status per stage, and one
// comment on the pull request that is edited in place.
//
// Everything can be said again: a status replaces the one of its context, and the comment
// is found again by a mark that its readers do not see.
package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/task/summary"
)

const (
	// mostDescription and mostComment are GitHub's limits, in characters.
	mostDescription = 140
	mostComment     = 65536
	pageSize        = 100
	// mostPages bounds the search for the comment.
	mostPages = 50
)

var (
	name   = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	commit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	key    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]*$`)
)

// Client speaks to GitHub, or to GitHub Enterprise by its own address.
type Client struct{ api *api.Client }

// New makes of an API client one for GitHub.
func New(c *api.Client) Client {
	c.Header.Set("Accept", "application/vnd.github+json")
	c.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	c.Header.Set("User-Agent", "spock")
	return Client{c}
}

// Bearer authorizes with a token.
func Bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// Report is what GitHub is told.
type Report struct {
	// Repository is owner/name.
	Repository string
	// Commit is the full hash that the statuses are for.
	Commit string
	// Context comes before each stage in the name of its status. With it the comment is
	// found again, so two pipelines of a repository need two.
	Context string
	// Link is where a status leads; none when empty.
	Link string
	// Stages are the statuses.
	Stages []summary.Status
	// Sentences tell a stage more, by its name.
	Sentences map[string]string
	// Pull is the number of the pull request; 0 leaves out the comment.
	Pull int
	// Comment is the text of the comment, in Markdown.
	Comment string
}

// Validate refuses what would lead to another address than is meant.
func (r Report) Validate() error {
	owner, repository, _ := strings.Cut(r.Repository, "/")
	switch {
	case !name.MatchString(r.Repository) || strings.Trim(owner, ".") == "" || strings.Trim(repository, ".") == "":
		return fmt.Errorf("repository %q: write it as owner/name", r.Repository)
	case len(r.Stages) > 0 && !commit.MatchString(r.Commit):
		return fmt.Errorf("commit %q: a status needs the full hash of a commit; use the result commit of git-clone", r.Commit)
	case !key.MatchString(r.Context) || strings.Contains(r.Context, "--"):
		return fmt.Errorf("context %q: write letters, digits and single -, _, . and /", r.Context)
	case r.Pull < 0:
		return fmt.Errorf("pull request %d: there is no such number", r.Pull)
	}
	if r.Link == "" {
		return nil
	}
	if u, err := url.Parse(r.Link); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("link %q: write an absolute HTTP address", r.Link)
	}
	return nil
}

// Tell writes all statuses, then the comment, and returns the address of the comment.
func (c Client) Tell(ctx context.Context, r Report) (string, error) {
	if err := r.Validate(); err != nil {
		return "", err
	}
	for _, stage := range r.Stages {
		if err := c.status(ctx, r, stage); err != nil {
			return "", fmt.Errorf("set the status of %s: %w", stage.Task, err)
		}
	}
	if r.Pull == 0 {
		return "", nil
	}
	address, err := c.comment(ctx, r)
	if err != nil {
		return "", fmt.Errorf("comment on pull request %d: %w", r.Pull, err)
	}
	return address, nil
}

// status is the body that GitHub takes.
type status struct {
	State       string `json:"state"`
	TargetURL   string `json:"target_url,omitempty"`
	Description string `json:"description"`
	Context     string `json:"context"`
}

func (c Client) status(ctx context.Context, r Report, stage summary.Status) error {
	state, description := judge(stage.State)
	if more := r.Sentences[stage.Task]; more != "" {
		description = more
	}
	return c.api.Do(ctx, api.Call{
		Method: http.MethodPost, Path: "/repos/" + r.Repository + "/statuses/" + r.Commit, Repeatable: true,
		In: status{State: state, TargetURL: r.Link, Description: cut(description, mostDescription), Context: r.Context + "/" + stage.Task},
	})
}

// State is GitHub's word for how a task stands: success, failure, pending or error.
func State(task string) string {
	word, _ := judge(task)
	return word
}

// judge translates Tekton's word for how a task ended. A task that was not run is an error:
// a commit must not look good because its tests were never reached.
func judge(state string) (string, string) {
	switch strings.ToLower(state) {
	case "succeeded", "completed":
		return "success", "succeeded"
	case "failed":
		return "failure", "failed"
	case "pending", "running":
		return "pending", "running"
	}
	return "error", "not run"
}

// cut keeps a text to one line of at most so many characters.
func cut(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
