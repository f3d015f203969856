// Package teller tells GitHub and Jira how the runs go that events asked for, whatever
// their pipelines are made of: it watches them, and writes what has changed. What was told
// is kept at the run, so that nothing is told twice and nothing is forgotten by a restart.
package teller

import (
	"fmt"
	"net/url"
	"strings"

	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/trigger"
)

// Config says whom to tell.
type Config struct {
	// Context is the first part of the names of statuses, and what comments are found
	// again by; `spock` when empty.
	Context string `json:"context,omitempty"`
	// Link is the address at which a run can be looked at; $(run.name) and
	// $(run.namespace) stand for its own. None when empty.
	Link string `json:"link,omitempty"`
	// GitHub is told of the runs for its commits, when it is there.
	GitHub *GitHub `json:"github,omitempty"`
	// Jira is told of the runs for its issues, when it is there.
	Jira *Jira `json:"jira,omitempty"`
}

// GitHub is where to tell.
type GitHub struct {
	// API is its address; that of GitHub Enterprise ends in /api/v3.
	API string `json:"api,omitempty"`
	// Repositories, as owner/name, that are told; who may make runs in the namespace can
	// have nothing said elsewhere.
	Repositories []string `json:"repositories"`
}

// Jira is where to tell, and how issues move.
type Jira struct {
	// API is its address, without /rest.
	API string `json:"api"`
	// User is the account of the API token, on Cloud.
	User string `json:"user,omitempty"`
	// Transitions are what an issue does when a run went well, and FailedTransitions when it
	// did not, by the action of the event. Any other action moves nothing.
	Transitions       map[trigger.Action]string `json:"transitions,omitempty"`
	FailedTransitions map[trigger.Action]string `json:"failedTransitions,omitempty"`
}

// ParseConfig reads a config, and refuses what it does not know.
func ParseConfig(raw []byte) (Config, error) {
	c := Config{Context: "spock"}
	if err := yaml.UnmarshalStrict(raw, &c); err != nil {
		return c, fmt.Errorf("read whom to tell: %w", err)
	}
	if c.GitHub == nil && c.Jira == nil {
		return c, fmt.Errorf("whom to tell: nobody; write github or jira")
	}
	if c.GitHub != nil && len(c.GitHub.Repositories) == 0 {
		return c, fmt.Errorf("github: no repository is told; name them in repositories, as owner/name")
	}
	if c.GitHub != nil && c.GitHub.API == "" {
		c.GitHub.API = "https://api.github.com"
	}
	if link := c.link("a", "b"); link != "" {
		if u, err := url.Parse(link); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return c, fmt.Errorf("link %q: write an absolute HTTP address", c.Link)
		}
	}
	return c, c.Jira.validate()
}

func (j *Jira) validate() error {
	if j == nil {
		return nil
	}
	known := map[trigger.Action]bool{}
	for _, action := range trigger.Actions() {
		known[action] = true
	}
	for _, moves := range []map[trigger.Action]string{j.Transitions, j.FailedTransitions} {
		for action := range moves {
			if !known[action] {
				return fmt.Errorf("transitions: %q is no action of an event; the actions are %v", action, trigger.Actions())
			}
		}
	}
	return nil
}

func (c Config) link(namespace, name string) string {
	return strings.NewReplacer("$(run.namespace)", namespace, "$(run.name)", name).Replace(c.Link)
}
