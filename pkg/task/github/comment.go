package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"spock.dev/spock/pkg/task/api"
)

// comment as GitHub shows it.
type comment struct {
	ID   int64  `json:"id"`
	URL  string `json:"html_url"`
	Body string `json:"body"`
}

// words is the body of a write.
type words struct {
	Body string `json:"body"`
}

// mark is how the comment is found again.
func mark(context string) string { return "<!-- spock: " + context + " -->" }

// comment edits the comment with the mark, or writes it. Anybody can write the mark into
// a comment of theirs, so one that may not be edited is passed over.
func (c Client) comment(ctx context.Context, r Report) (string, error) {
	body := words{limit(mark(r.Context) + "\n" + r.Comment)}
	const tries = 3
	var err error
	for range tries {
		var address string
		if address, err = c.upsert(ctx, r, body); err == nil || !unclear(err) {
			return address, err
		}
		// The comment may have been written: look before writing again.
	}
	return "", err
}

func (c Client) upsert(ctx context.Context, r Report, body words) (string, error) {
	marked, err := c.marked(ctx, r)
	if err != nil {
		return "", err
	}
	for _, old := range marked {
		if strings.TrimSpace(old.Body) == strings.TrimSpace(body.Body) {
			return old.URL, nil
		}
		var out comment
		err := c.api.Do(ctx, api.Call{
			Method: http.MethodPatch, Path: fmt.Sprintf("/repos/%s/issues/comments/%d", r.Repository, old.ID), In: body, Out: &out, Repeatable: true,
		})
		if code := api.Code(err); code == http.StatusForbidden || code == http.StatusNotFound {
			continue
		}
		return out.URL, err
	}
	var out comment
	err = c.api.Do(ctx, api.Call{
		Method: http.MethodPost, Path: fmt.Sprintf("/repos/%s/issues/%d/comments", r.Repository, r.Pull), In: body, Out: &out,
	})
	return out.URL, err
}

// marked are the comments that begin with the mark, oldest first.
func (c Client) marked(ctx context.Context, r Report) ([]comment, error) {
	var found []comment
	for page := 1; page <= mostPages; page++ {
		var all []comment
		err := c.api.Do(ctx, api.Call{
			Method: http.MethodGet, Repeatable: true, Out: &all,
			Path: fmt.Sprintf("/repos/%s/issues/%d/comments?per_page=%d&page=%d", r.Repository, r.Pull, pageSize, page),
		})
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			if strings.HasPrefix(one.Body, mark(r.Context)) {
				found = append(found, one)
			}
		}
		if len(all) < pageSize {
			break
		}
	}
	return found, nil
}

// unclear says whether a write may have been done although it failed.
func unclear(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	code := api.Code(err)
	return code == 0 || code >= http.StatusInternalServerError
}

// limit keeps a comment within what GitHub takes.
func limit(text string) string {
	const rest = "\n\n… the rest does not fit into a comment\n"
	runes := []rune(text)
	if len(runes) <= mostComment {
		return text
	}
	return string(runes[:mostComment-len([]rune(rest))]) + rest
}
