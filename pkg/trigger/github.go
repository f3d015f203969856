package trigger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	hash     = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	issueKey = regexp.MustCompile(`(^|[^A-Za-z0-9])([A-Z][A-Z0-9]{1,19}-[1-9][0-9]{0,9})([^A-Za-z0-9]|$)`)
	label    = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

type user struct {
	Login string `json:"login"`
}

type repository struct {
	FullName string `json:"full_name"`
	CloneURL string `json:"clone_url"`
	// PushedAt is a number in pushes and a date elsewhere.
	PushedAt json.RawMessage `json:"pushed_at"`
}

type pullRequest struct {
	Number      int       `json:"number"`
	UpdatedAt   time.Time `json:"updated_at"`
	Association string    `json:"author_association"`
	User        user      `json:"user"`
	Head        struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	} `json:"head"`
}

// payload is what counts of GitHub's events.
type payload struct {
	Action     string       `json:"action"`
	Ref        string       `json:"ref"`
	After      string       `json:"after"`
	Deleted    bool         `json:"deleted"`
	Sender     user         `json:"sender"`
	Repository repository   `json:"repository"`
	Pull       *pullRequest `json:"pull_request"`
	Label      struct {
		Name string `json:"name"`
	} `json:"label"`
	Issue struct {
		Number int       `json:"number"`
		State  string    `json:"state"`
		Pull   *struct{} `json:"pull_request"`
	} `json:"issue"`
	Comment *struct {
		Body        string    `json:"body"`
		Created     time.Time `json:"created_at"`
		Association string    `json:"author_association"`
		User        user      `json:"user"`
	} `json:"comment"`
}

func github(c Config, d Delivery) (event, *Refusal) {
	kind := d.Header("X-GitHub-Event")
	judges := map[string]func(Config, payload) (event, *Refusal){"push": push, "pull_request": pull, "issue_comment": comment}
	judge, known := judges[kind]
	switch {
	case kind == "ping":
		return event{}, refuse(Ignored, "a ping: the webhook works")
	case !known:
		return event{}, refuse(Unknown, "there is nothing to do for the event %q; let the webhook send push, pull_request and issue_comment", clip(kind))
	}
	var p payload
	if err := json.Unmarshal(d.Body, &p); err != nil {
		return event{}, refuse(Malformed, "the body is no %s event", kind)
	}
	if !slices.Contains(c.Repositories, p.Repository.FullName) {
		return event{}, refuse(Forbidden, "repository %q is not among those whose events count", clip(p.Repository.FullName))
	}
	e, r := judge(c, p)
	if r == nil {
		e.values["repository"], e.values["cloneUrl"], e.values["sender"] = p.Repository.FullName, p.Repository.CloneURL, p.Sender.Login
		e.values["issue"] = findIssue(e.values["branch"])
		e.values["project"], _, _ = strings.Cut(e.values["issue"], "-")
	}
	return e, r
}

// findIssue is the key of the issue that a branch is named after.
func findIssue(branch string) string {
	if found := issueKey.FindStringSubmatch(branch); found != nil {
		return found[2]
	}
	return ""
}

func push(c Config, p payload) (event, *Refusal) {
	branch, isBranch := strings.CutPrefix(p.Ref, "refs/heads/")
	var at int64
	switch {
	case p.Ref == "" || json.Unmarshal(p.Repository.PushedAt, &at) != nil:
		return event{}, refuse(Malformed, "the body is no push")
	case !isBranch || p.Deleted || !c.main(branch):
		return event{}, refuse(Ignored, "a push to %q is not integrated", clip(p.Ref))
	case !hash.MatchString(p.After):
		return event{}, refuse(Malformed, "commit %q is no hash", clip(p.After))
	}
	return event{Integrate, time.Unix(at, 0), map[string]string{
		"branch": branch, "commit": p.After, "revision": p.After, "refspec": p.Ref,
	}}, nil
}

func pull(c Config, p payload) (event, *Refusal) {
	if p.Pull == nil || p.Pull.Number <= 0 || !hash.MatchString(p.Pull.Head.SHA) {
		return event{}, refuse(Malformed, "the body is no pull request with a number and a commit")
	}
	action, trusted := Up, c.may(p.Pull.User.Login, p.Pull.Association)
	switch p.Action {
	case "closed":
		// Whoever may close it may have it cleaned up.
		action, trusted = Down, true
	case "opened", "reopened", "synchronize":
	case "labeled":
		if c.Label == "" || p.Label.Name != c.Label {
			return event{}, refuse(Ignored, "label %q asks for nothing", clip(p.Label.Name))
		}
		trusted = true
	default:
		return event{}, refuse(Ignored, "%q of a pull request asks for nothing", clip(p.Action))
	}
	if !trusted {
		return event{}, refuse(Forbidden, "%s (%s) may not ask for runs; one who may can comment /test", clip(p.Pull.User.Login), clip(p.Pull.Association))
	}
	return event{action, p.Pull.UpdatedAt, map[string]string{
		"number": fmt.Sprint(p.Pull.Number), "commit": p.Pull.Head.SHA, "revision": p.Pull.Head.SHA, "branch": p.Pull.Head.Ref,
		"refspec": fmt.Sprintf("refs/pull/%d/head", p.Pull.Number),
	}}, nil
}

func comment(c Config, p payload) (event, *Refusal) {
	switch {
	case p.Comment == nil || p.Issue.Number <= 0:
		return event{}, refuse(Malformed, "the body is no comment")
	case p.Action != "created" || p.Issue.Pull == nil:
		return event{}, refuse(Ignored, "only new comments on pull requests count")
	}
	action, environment, commit, r := command(c, p.Comment.Body)
	if r != nil {
		return event{}, r
	}
	if !c.may(p.Comment.User.Login, p.Comment.Association) {
		return event{}, refuse(Forbidden, "%s (%s) may not ask for runs", clip(p.Comment.User.Login), clip(p.Comment.Association))
	}
	if p.Issue.State == "closed" && action != Down {
		return event{}, refuse(Ignored, "the pull request is closed")
	}
	refspec := fmt.Sprintf("refs/pull/%d/head", p.Issue.Number)
	revision := commit
	if revision == "" {
		revision = refspec
	}
	return event{action, p.Comment.Created, map[string]string{
		"number": fmt.Sprint(p.Issue.Number), "commit": commit, "revision": revision, "refspec": refspec, "environment": environment,
	}}, nil
}

// command reads the first line of a comment: /test [COMMIT], /retest [COMMIT], /deploy
// ENVIRONMENT [COMMIT], /teardown. A commit keeps what was pushed after it
// was looked at from being run.
func command(c Config, body string) (action Action, environment, commit string, r *Refusal) {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	words := strings.Fields(line)
	if len(words) == 0 || !strings.HasPrefix(words[0], "/") {
		return "", "", "", refuse(Ignored, "the comment is no command")
	}
	name, rest := words[0], words[1:]
	switch name {
	case "/test", "/retest":
		action = Test
	case "/teardown":
		action = Down
	case "/deploy":
		action = Deploy
		if len(rest) > 0 {
			environment, rest = rest[0], rest[1:]
		}
		if !label.MatchString(environment) || !c.allows(environment) {
			return "", "", "", refuse(Forbidden, "/deploy: %q is not among the environments that comments may name", clip(environment))
		}
	default:
		return "", "", "", refuse(Ignored, "there is no command %q", clip(name))
	}
	if len(rest) > 0 && action != Down && hash.MatchString(rest[0]) {
		commit, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return "", "", "", refuse(Malformed, "%s: %q is too much, or no full hash of a commit", name, clip(strings.Join(rest, " ")))
	}
	return action, environment, commit, nil
}
