package trigger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const template = `
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  labels: {team: a, spock.dev/event-action: forged}
spec:
  pipelineRef: {name: deploy-only}
  params:
    - {name: environment, value: "shop-$(event.number)"}
    - {name: services, value: ["web=registry.example.com/web:$(event.commit)"]}
    - {name: twice, value: "$(event.branch) $(event.sender)"}
    - {name: kept, value: "$(context.pipelineRun.name)"}
`

func TestRun(t *testing.T) {
	t.Parallel()
	parsed, err := ParseTemplate([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	d := Decision{Action: Up, Name: "event-up-1", Taken: time.Date(2026, 5, 4, 12, 0, 0, 70, time.FixedZone("", 3600)), Values: map[string]string{"number": "42", "commit": "c0ffee", "branch": "$(event.sender)", "sender": "ann", "source": "github", "repository": "team-a/shop"}}
	want := `apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  annotations:
    spock.dev/event-commit: c0ffee
    spock.dev/event-delivery: 72d3162e-cc78
    spock.dev/event-repository: team-a/shop
    spock.dev/event-taken: "2026-05-04T11:00:00.000000070Z"
  labels:
    spock.dev/event-action: up
    spock.dev/event-number: "42"
    spock.dev/event-source: github
    team: a
  name: event-up-1
  namespace: team-a
spec:
  params:
  - name: environment
    value: shop-42
  - name: services
    value:
    - web=registry.example.com/web:c0ffee
  - name: twice
    value: $(event.sender) ann
  - name: kept
    value: $(context.pipelineRun.name)
  pipelineRef:
    name: deploy-only
`
	for range 2 { // the template stays as it is
		got, err := yaml.Marshal(parsed.Run(d, "team-a", "72d3162e-cc78").Object)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("run (-want +got):\n%s", diff)
		}
	}
	if got := parsed.Run(d, "team-a", "x\ny").GetAnnotations(); got["spock.dev/event-delivery"] != "" {
		t.Errorf("a delivery that is no number is noted: %v", got)
	}
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ from, to, want string }{
		"an unknown value":          {"event.number", "event.numbr", `template: there is no $(event.numbr); did you mean "number"?`},
		"a value outside of params": {"team: a", "team: $(event.sender)", "template: $(event.NAME) stands outside of spec.params, where it has no meaning"},
		"a name of its own":         {"metadata:", "metadata:\n  generateName: x-", "template: name and namespace of the run are not its own; leave them out"},
		"another kind":              {"kind: PipelineRun", "kind: TaskRun", `template: it is a TaskRun of "tekton.dev/v1"; write a PipelineRun of tekton.dev/v1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseTemplate([]byte(strings.Replace(template, tt.from, tt.to, 1)))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestConfigsAreChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ config, want string }{
		"GitHub":                        {"{source: github, repositories: [a/b], environments: ['shop-*'], maxAge: 24h}", ""},
		"Jira":                          {"{source: jira, transitions: [{to: Done, action: down}]}", ""},
		"a slip in the source":          {"{source: gihub}", `source "gihub": did you mean "github"?`},
		"no repository":                 {"{source: github}", "repositories: there are none; name those whose events count, as owner/name"},
		"an action that does not exist": {"{source: jira, transitions: [{to: Done, action: donw}]}", `transitions[0].action: there is no "donw"; did you mean "down"?`},
		"no transition":                 {"{source: jira}", "transitions: there are none; say what a move of an issue asks for"},
		"a status that is not named":    {"{source: jira, transitions: [{action: down}]}", "transitions[0].to: it is empty; name the status"},
		"a pattern for everything":      {"{source: github, repositories: [a/b], environments: ['*']}", `environments: "*" is no pattern that leaves something out; write for example shop-*`},
		"an age that is none":           {"{source: github, repositories: [a/b], maxAge: soon}", `maxAge "soon": write a duration such as 72h`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseConfig([]byte(tt.config))
			if got := ""; err != nil && err.Error() != tt.want || err == nil && tt.want != got {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := ParseConfig([]byte("{source: github, repos: [a/b]}")); err == nil {
		t.Error("a field that does not exist is read")
	}
}
