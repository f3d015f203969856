//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"
)

// object is a part of an event.
type object = map[string]any

// pull is a pull request as its events tell of it, with the fields that GitHub sends and
// the door reads or must leave alone.
type pull struct {
	number                      int
	branch, commit, association string
	clone                       string
}

func (p pull) repository() object {
	return object{
		"id": 1296269, "name": "shop", "full_name": "team-a/shop", "private": true, "default_branch": "main",
		"clone_url": p.clone, "pushed_at": time.Now().UTC().Format(time.RFC3339), "owner": object{"login": "team-a", "type": "Organization"},
	}
}

// event of the pull request itself.
func (p pull) event(action string) object {
	state := "open"
	if action == "closed" {
		state = "closed"
	}
	return object{
		"action": action, "number": p.number, "sender": object{"login": "ann", "type": "User"}, "repository": p.repository(),
		"pull_request": object{
			"id": 1000 + p.number, "number": p.number, "state": state, "title": "Better greetings; $(reboot)", "user": object{"login": "ann"},
			"author_association": p.association, "updated_at": time.Now().UTC().Format(time.RFC3339), "merged": false, "draft": false,
			"head": object{"ref": p.branch, "sha": p.commit, "label": "team-a:" + p.branch, "repo": p.repository()},
			"base": object{"ref": "main", "sha": strings.Repeat("0c", 20), "repo": p.repository()},
		},
	}
}

// comment on the pull request by somebody.
func (p pull) comment(login, association, text string) object {
	return object{
		"action": "created", "sender": object{"login": login, "type": "User"}, "repository": p.repository(),
		"issue": object{
			"number": p.number, "state": "open", "title": "Better greetings", "user": object{"login": "ann"},
			"pull_request": object{"url": fmt.Sprintf("https://api.example.com/repos/team-a/shop/pulls/%d", p.number)},
		},
		"comment": object{
			"id": time.Now().UnixNano(), "body": text, "created_at": time.Now().UTC().Format(time.RFC3339), "author_association": association,
			"user": object{"login": login},
		},
	}
}

// pushed is a push to a branch.
func pushed(ref, commit, clone string) object {
	repository := pull{clone: clone}.repository()
	repository["pushed_at"] = time.Now().Unix()
	return object{
		"ref": ref, "before": strings.Repeat("0c", 20), "after": commit, "created": false, "deleted": false, "forced": false,
		"pusher": object{"name": "ann"}, "sender": object{"login": "ann"}, "repository": repository,
		"head_commit": object{"id": commit, "message": "say more; `reboot`"},
	}
}

// moved is an issue that went from one status to another.
func moved(key, to, version string) object {
	project, _, _ := strings.Cut(key, "-")
	return object{
		"timestamp": time.Now().UnixMilli(), "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_generic",
		"user": object{"accountId": "5b10ac8d82e05b22cc7d4ef5", "displayName": "Ann", "active": true},
		"issue": object{"id": "10042", "key": key, "fields": object{
			"summary": "The greeting is short; $(reboot)", "project": object{"key": project, "name": "Shop"},
			"assignee": object{"accountId": "5b10a2844c20165700ede21g", "displayName": "Bob"}, "status": object{"name": to},
			"fixVersions": []any{object{"id": "10001", "name": version, "released": false}},
		}},
		"changelog": object{"id": fmt.Sprint(time.Now().UnixNano()), "items": []any{
			object{"field": "status", "fieldtype": "jira", "from": "3", "fromString": "In Progress", "to": "10003", "toString": to},
		}},
	}
}
