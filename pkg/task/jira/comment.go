package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"spock.dev/spock/pkg/task/api"
)

type comment struct {
	ID   string `json:"id"`
	Self string `json:"self"`
	Body string `json:"body"`
}

type words struct {
	Body string `json:"body"`
}

// mark is the last line of the comment, by which it is found again. Wiki markup has
// nothing that Cloud and Data Center both keep and do not show.
func mark(context string) string { return "Kept up to date by Spock: " + context }

// text is the comment with its mark. What is said stands in a noformat block, where no
// markup and no mention has a meaning.
func text(r Report) string {
	const open, shut = "{noformat}\n", "\n{noformat}\n"
	body := strings.ReplaceAll(r.Comment, "{noformat}", "(noformat)")
	if room := mostComment - len([]rune(open+shut+mark(r.Context))) - 4; len([]rune(body)) > room {
		body = string([]rune(body)[:room]) + "\n..."
	}
	return open + body + shut + mark(r.Context)
}

// comment edits the comment with the mark, or writes it. One that may not be edited is
// somebody else's, and is passed over.
func (c Client) comment(ctx context.Context, r Report) (string, error) {
	const tries = 3
	var err error
	for range tries {
		var address string
		if address, err = c.upsert(ctx, r, words{text(r)}); err == nil || !unclear(err) {
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
		if strings.TrimSpace(old.Body) == body.Body {
			return old.Self, nil
		}
		var out comment
		err := c.api.Do(ctx, api.Call{Method: http.MethodPut, Path: r.path("/comment/" + old.ID), In: body, Out: &out, Repeatable: true})
		if code := api.Code(err); code == http.StatusForbidden || code == http.StatusNotFound || code == http.StatusBadRequest {
			continue
		}
		return out.Self, err
	}
	var out comment
	err = c.api.Do(ctx, api.Call{Method: http.MethodPost, Path: r.path("/comment"), In: body, Out: &out})
	return out.Self, err
}

// marked are the comments that end with the mark, oldest first.
func (c Client) marked(ctx context.Context, r Report) ([]comment, error) {
	var found []comment
	for page := range mostPages {
		var all struct {
			Total    int       `json:"total"`
			Comments []comment `json:"comments"`
		}
		path := r.path(fmt.Sprintf("/comment?startAt=%d&maxResults=%d", page*pageSize, pageSize))
		if err := c.api.Do(ctx, api.Call{Method: http.MethodGet, Path: path, Out: &all, Repeatable: true}); err != nil {
			return nil, err
		}
		for _, one := range all.Comments {
			if strings.HasSuffix(strings.TrimSpace(one.Body), mark(r.Context)) && safe(one.ID) {
				found = append(found, one)
			}
		}
		if (page+1)*pageSize >= all.Total {
			break
		}
	}
	return found, nil
}

// safe keeps an answer from leading a request elsewhere.
func safe(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}

// unclear says whether a write may have been done although it failed.
func unclear(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	code := api.Code(err)
	return code == 0 || code >= http.StatusInternalServerError
}
