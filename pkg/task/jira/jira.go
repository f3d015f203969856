// Package jira tells a Jira issue how a pipeline went: one comment that is edited in place,
// a link to the run or the environment, and a transition of the issue.
//
// It speaks version 2 of the REST API, which Jira Cloud and Data Center have in common.
// Everything can be said again: the comment is found by its last line, the link by its
// identity, and an issue that stands where it should is not moved.
package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/task/api"
)

const (
	// mostComment is Jira's usual limit, in characters.
	mostComment = 32767
	pageSize    = 100
	// mostPages bounds the search for the comment.
	mostPages = 50
)

var (
	issueKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,49}-[1-9][0-9]{0,9}$`)
	key      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]*$`)
)

// Client speaks to Jira.
type Client struct{ api *api.Client }

// New makes of an API client one for Jira.
func New(c *api.Client) Client {
	c.Header.Set("Accept", "application/json")
	c.Header.Set("User-Agent", "spock")
	return Client{c}
}

// Authorize uses a personal access token, as Data Center has it; with a user, whose
// address it is on Cloud, an API token.
func Authorize(user, token string) func(*http.Request) {
	return func(r *http.Request) {
		if user != "" {
			r.SetBasicAuth(user, token)
			return
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// Report is what an issue is told.
type Report struct {
	// Issue is its key.
	Issue string
	// Context is what the comment and the link are found again by.
	Context string
	// Comment is its text, which is shown as it is; no comment when empty.
	Comment string
	// Link is an address to show at the issue, and Title its words; none when empty.
	Link, Title string
	// Transition is the name of a transition or of the status it leads to; none when empty.
	Transition string
}

// Validate refuses what would lead to another address than is meant.
func (r Report) Validate() error {
	switch {
	case !issueKey.MatchString(r.Issue):
		return fmt.Errorf("issue %q: write a key such as SHOP-42", r.Issue)
	case !key.MatchString(r.Context):
		return fmt.Errorf("context %q: write letters, digits, -, _, . and /", r.Context)
	case r.Link == "":
		return nil
	}
	if u, err := url.Parse(r.Link); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("link %q: write an absolute HTTP address", r.Link)
	}
	return nil
}

// Told is what came of it.
type Told struct {
	// Comment is the address of the comment in the API.
	Comment string
	// Status is where the issue stands; empty without a transition.
	Status string
}

// Tell writes comment and link, then moves the issue: what it says stands there before it
// moves, and still does when it cannot.
func (c Client) Tell(ctx context.Context, r Report) (Told, error) {
	var told Told
	err := r.Validate()
	if err != nil {
		return told, err
	}
	if r.Comment != "" {
		if told.Comment, err = c.comment(ctx, r); err != nil {
			return told, fmt.Errorf("comment on %s: %w", r.Issue, err)
		}
	}
	if r.Link != "" {
		if err = c.link(ctx, r); err != nil {
			return told, fmt.Errorf("link %s: %w", r.Issue, err)
		}
	}
	if r.Transition != "" {
		if told.Status, err = c.move(ctx, r); err != nil {
			return told, fmt.Errorf("move %s: %w", r.Issue, err)
		}
	}
	return told, nil
}

// path is below the issue.
func (r Report) path(rest string) string { return "/rest/api/2/issue/" + r.Issue + rest }

type remoteLink struct {
	GlobalID     string       `json:"globalId"`
	Relationship string       `json:"relationship"`
	Object       remoteObject `json:"object"`
}

type remoteObject struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

// link writes the link; Jira replaces the one of the same identity.
func (c Client) link(ctx context.Context, r Report) error {
	title := r.Title
	if title == "" {
		title = r.Link
	}
	return c.api.Do(ctx, api.Call{
		Method: http.MethodPost, Path: r.path("/remotelink"), Repeatable: true,
		In: remoteLink{GlobalID: "spock:" + r.Context, Relationship: "deployment", Object: remoteObject{URL: r.Link, Title: title}},
	})
}

type named struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type transition struct {
	named
	To named `json:"to"`
}

type move struct {
	Transition named `json:"transition"`
}

// move returns where the issue stands then.
func (c Client) move(ctx context.Context, r Report) (string, error) {
	status, err := c.standing(ctx, r)
	if err != nil || strings.EqualFold(status, r.Transition) {
		return status, err
	}
	var offered struct {
		Transitions []transition `json:"transitions"`
	}
	if err := c.api.Do(ctx, api.Call{Method: http.MethodGet, Path: r.path("/transitions"), Out: &offered, Repeatable: true}); err != nil {
		return status, err
	}
	chosen, err := choose(offered.Transitions, r.Transition)
	if err != nil {
		return status, fmt.Errorf("%s: %w", status, err)
	}
	if strings.EqualFold(chosen.To.Name, status) {
		return status, nil // the transition was made
	}
	err = c.api.Do(ctx, api.Call{Method: http.MethodPost, Path: r.path("/transitions"), In: move{named{ID: chosen.ID}}})
	if err == nil {
		return chosen.To.Name, nil
	}
	if code := api.Code(err); code == 0 || code >= http.StatusInternalServerError {
		// It may have been done.
		if now, failed := c.standing(ctx, r); failed == nil && strings.EqualFold(now, chosen.To.Name) {
			return now, nil
		}
	}
	return status, err
}

func (c Client) standing(ctx context.Context, r Report) (string, error) {
	var issue struct {
		Fields struct {
			Status named `json:"status"`
		} `json:"fields"`
	}
	err := c.api.Do(ctx, api.Call{Method: http.MethodGet, Path: r.path("?fields=status"), Out: &issue, Repeatable: true})
	return issue.Fields.Status.Name, err
}

// choose finds a transition by its own name first, then by the status it leads to.
func choose(all []transition, wanted string) (transition, error) {
	var names []string
	for _, t := range all {
		if strings.EqualFold(t.Name, wanted) {
			return t, nil
		}
		names = append(names, t.Name)
	}
	for _, t := range all {
		if strings.EqualFold(t.To.Name, wanted) {
			return t, nil
		}
		names = append(names, t.To.Name)
	}
	if len(all) == 0 {
		return transition{}, fmt.Errorf("there is no transition %q, nor any other that the account may make", wanted)
	}
	if near, ok := nearest.Name(wanted, names); ok {
		return transition{}, fmt.Errorf("there is no transition %q from here; did you mean %q?", wanted, near)
	}
	return transition{}, fmt.Errorf("there is no transition %q from here; there are %q", wanted, names[:len(all)])
}
