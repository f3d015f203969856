package trigger

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

var wholeKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,49}-[1-9][0-9]{0,9}$`)

// person has an account on Cloud and a name on Data Center.
type person struct {
	AccountID string `json:"accountId"`
	Name      string `json:"name"`
}

func (p *person) id() string {
	switch {
	case p == nil:
		return ""
	case p.AccountID != "":
		return p.AccountID
	}
	return p.Name
}

// moved is what counts of Jira's event.
type moved struct {
	Timestamp    int64  `json:"timestamp"` // in milliseconds
	WebhookEvent string `json:"webhookEvent"`
	User         person `json:"user"`
	Issue        struct {
		Key    string `json:"key"`
		Fields struct {
			Project struct {
				Key string `json:"key"`
			} `json:"project"`
			Assignee    *person `json:"assignee"`
			FixVersions []struct {
				Name string `json:"name"`
			} `json:"fixVersions"`
		} `json:"fields"`
	} `json:"issue"`
	Changelog struct {
		Items []struct {
			Field    string `json:"field"`
			ToString string `json:"toString"`
		} `json:"items"`
	} `json:"changelog"`
}

func jira(c Config, d Delivery) (event, *Refusal) {
	if strings.EqualFold(d.Header("X-Atlassian-Webhook-Flow"), "Secondary") {
		return event{}, refuse(Ignored, "a secondary flow tells what the primary one told")
	}
	var m moved
	if err := json.Unmarshal(d.Body, &m); err != nil || m.WebhookEvent == "" {
		return event{}, refuse(Malformed, "the body is no event of Jira")
	}
	if m.WebhookEvent != "jira:issue_updated" {
		return event{}, refuse(Unknown, "there is nothing to do for the event %q; let the webhook send updates of issues", clip(m.WebhookEvent))
	}
	if !wholeKey.MatchString(m.Issue.Key) || m.Timestamp <= 0 {
		return event{}, refuse(Malformed, "issue %q is no key, or there is no time", clip(m.Issue.Key))
	}
	project, _, _ := strings.Cut(m.Issue.Key, "-")
	if given := m.Issue.Fields.Project.Key; given != "" && given != project {
		return event{}, refuse(Malformed, "issue %s is not of project %q", m.Issue.Key, clip(given))
	}
	status, action := "", Action("")
	for _, item := range m.Changelog.Items {
		if item.Field == "status" {
			status, action = item.ToString, c.asked(project, item.ToString)
		}
	}
	if action == "" {
		return event{}, refuse(Ignored, "the move of %s to %q asks for nothing", m.Issue.Key, clip(status))
	}
	version := ""
	if versions := m.Issue.Fields.FixVersions; len(versions) > 0 {
		version = dashed(versions[0].Name)
	}
	return event{action, time.UnixMilli(m.Timestamp), map[string]string{
		"issue": m.Issue.Key, "environment": strings.ReplaceAll(strings.ToLower(m.Issue.Key), "_", "-"),
		"project": project, "status": dashed(status), "fixVersion": version,
		"assignee": m.Issue.Fields.Assignee.id(), "sender": m.User.id(),
	}}, nil
}

// asked is the action of the first transition that fits.
func (c Config) asked(project, status string) Action {
	for _, t := range c.Transitions {
		if (t.Project == "" || t.Project == project) && strings.EqualFold(t.To, status) {
			return t.Action
		}
	}
	return ""
}

// dashed makes one word of a name of several.
func dashed(name string) string { return strings.Join(strings.Fields(name), "-") }
