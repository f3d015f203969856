package trigger

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/nearest"
)

// Source is where events come from.
type Source string

// The sources.
const (
	GitHub Source = "github"
	Jira   Source = "jira"
)

// Config is what is done with the events of one webhook.
type Config struct {
	// Source of the events.
	Source Source `json:"source"`
	// Repositories whose events count, as owner/name. GitHub only, required.
	Repositories []string `json:"repositories,omitempty"`
	// Branches whose pushes are integrated; [main] when empty. GitHub only.
	Branches []string `json:"branches,omitempty"`
	// Associations of people to the repository with which they may ask for runs; OWNER,
	// MEMBER and COLLABORATOR when empty. GitHub only.
	Associations []string `json:"associations,omitempty"`
	// Users who may as well, by login. GitHub only.
	Users []string `json:"users,omitempty"`
	// Label with which anybody's pull request is let in; whoever may set labels vouches for
	// the commit that is there then. None when empty. GitHub only.
	Label string `json:"label,omitempty"`
	// Environments that a comment may name, as patterns such as shop-*; none when empty. GitHub only.
	Environments []string `json:"environments,omitempty"`
	// Transitions that ask for runs. Jira only, required.
	Transitions []Transition `json:"transitions,omitempty"`
	// MaxAge of what an event tells of, as a duration; 72h when empty. Keep runs at least as
	// long: they are what a replay is known by.
	MaxAge string `json:"maxAge,omitempty"`
}

// Transition maps a move of an issue to an action.
type Transition struct {
	// Project key; any when empty.
	Project string `json:"project,omitempty"`
	// To is the status that the issue moved to.
	To string `json:"to"`
	// Action that it asks for.
	Action Action `json:"action"`
}

// ParseConfig reads and checks a config. A name it does not know is an error.
func ParseConfig(raw []byte) (Config, error) {
	var c Config
	if err := yaml.UnmarshalStrict(raw, &c); err != nil {
		return c, fmt.Errorf("read the config of the events: %w", err)
	}
	return c, c.validate()
}

func (c Config) validate() error {
	if c.MaxAge != "" {
		if d, err := time.ParseDuration(c.MaxAge); err != nil || d <= 0 {
			return fmt.Errorf("maxAge %q: write a duration such as 72h", c.MaxAge)
		}
	}
	for _, pattern := range c.Environments {
		if _, err := path.Match(pattern, ""); err != nil || strings.Trim(pattern, "*?") == "" {
			return fmt.Errorf("environments: %q is no pattern that leaves something out; write for example shop-*", pattern)
		}
	}
	switch c.Source {
	case GitHub:
		if len(c.Repositories) == 0 {
			return errors.New("repositories: there are none; name those whose events count, as owner/name")
		}
		if len(c.Transitions) > 0 {
			return errors.New("transitions: they belong to the source jira")
		}
		return nil
	case Jira:
		return c.validateJira()
	}
	return fmt.Errorf("source %q: %s", c.Source, nearest.Hint(string(c.Source), []string{string(GitHub), string(Jira)}, ""))
}

func (c Config) validateJira() error {
	if len(c.Transitions) == 0 {
		return errors.New("transitions: there are none; say what a move of an issue asks for")
	}
	var known []string
	for _, action := range Actions() {
		known = append(known, string(action))
	}
	for i, t := range c.Transitions {
		if t.To == "" {
			return fmt.Errorf("transitions[%d].to: it is empty; name the status", i)
		}
		if !slices.Contains(known, string(t.Action)) {
			return fmt.Errorf("transitions[%d].action: there is no %q; %s", i, t.Action, nearest.Hint(string(t.Action), known, ""))
		}
	}
	return nil
}

func (c Config) maxAge() time.Duration {
	if d, err := time.ParseDuration(c.MaxAge); err == nil {
		return d
	}
	return 72 * time.Hour
}

// main says whether pushes to the branch are integrated.
func (c Config) main(branch string) bool {
	if len(c.Branches) == 0 {
		return branch == "main"
	}
	return slices.Contains(c.Branches, branch)
}

// may says whether a person may ask for runs.
func (c Config) may(login, association string) bool {
	trusted := c.Associations
	if len(trusted) == 0 {
		trusted = []string{"OWNER", "MEMBER", "COLLABORATOR"}
	}
	return slices.Contains(trusted, association) || slices.ContainsFunc(c.Users, func(u string) bool { return strings.EqualFold(u, login) })
}

// allows says whether a comment may name the environment.
func (c Config) allows(environment string) bool {
	return slices.ContainsFunc(c.Environments, func(pattern string) bool {
		ok, err := path.Match(pattern, environment)
		return ok && err == nil
	})
}
