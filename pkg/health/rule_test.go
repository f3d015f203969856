package health_test

import (
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

func topicRule(expression string) []v1alpha1.ReadyRule {
	return []v1alpha1.ReadyRule{
		{APIVersion: "example.com/v2", Kind: "Topic", Expression: "false"},
		{APIVersion: "example.com/v1", Kind: "Topic", Expression: expression},
	}
}

func TestTemplateRules(t *testing.T) {
	t.Parallel()
	const topic = `{apiVersion: example.com/v1, kind: Topic, metadata: {name: orders, generation: 2}, status: {observedGeneration: 2, phase: Up, partitions: 3}}`
	checkVerdicts(t, map[string]judged{
		"the rule holds": {
			object: topic, rules: topicRule(`object.status.phase == "Up" && object.status.partitions >= 3`),
			want: health.Ready, says: "the rule for its kind holds",
		},
		"the rule does not hold": {
			object: topic, rules: topicRule(`object.status.partitions > 3`),
			want: health.Progressing, says: "Topic orders is not ready: the rule for its kind does not hold yet (object.status.partitions > 3)",
		},
		"the rule asks for a field that is not there yet": {
			object: topic, rules: topicRule(`object.status.leader == "a"`),
			want: health.Progressing, says: "Topic orders is not ready: the rule for its kind cannot tell yet (no such key: leader)",
		},
		"the rule provides for an absent field": {
			object: topic, rules: topicRule(`object.?status.leader.orValue("none") == "none"`),
			want: health.Ready, says: "the rule for its kind holds",
		},
		"the status is of the version before": {
			object: `{apiVersion: example.com/v1, kind: Topic, metadata: {name: orders, generation: 2}, status: {observedGeneration: 1, phase: Up}}`,
			rules:  topicRule(`object.status.phase == "Up"`),
			want:   health.Progressing, says: "the cluster has not taken up the newest version of Topic orders yet",
		},
		"there is no status yet": {
			object: `{apiVersion: example.com/v1, kind: Topic, metadata: {name: orders}}`,
			rules:  topicRule(`!has(object.status.error)`),
			want:   health.Progressing, says: "Topic orders has no status yet",
		},
		"the rule says that the kind has no status": {
			object: `{apiVersion: example.com/v1, kind: Topic, metadata: {name: orders}}`,
			rules:  topicRule(` true `),
			want:   health.Ready, says: "in force",
		},
		"the rule does not compile": {
			object: topic, rules: topicRule(`object.status.phase = "Up"`),
			want: health.Failed, class: v1alpha1.CauseConfig,
			says: "the ready rule for example.com/v1 Topic is wrong: column 21: Syntax error: token recognition error at: '= '",
		},
		"the rule names an unknown variable": {
			object: topic, rules: topicRule(`self.status.phase == "Up"`),
			want: health.Failed, class: v1alpha1.CauseConfig,
			says: "the ready rule for example.com/v1 Topic is wrong: column 1: undeclared reference to 'self' (in container '')",
		},
		"the rule is not boolean by its form": {
			object: topic, rules: topicRule(`size(object.status)`),
			want: health.Failed, class: v1alpha1.CauseConfig,
			says: "the ready rule for example.com/v1 Topic is wrong: it gives a value of type int instead of true or false",
		},
		"the rule turns out not to be boolean": {
			object: topic, rules: topicRule(`object.status.phase`),
			want: health.Failed, class: v1alpha1.CauseConfig,
			says: "the ready rule for example.com/v1 Topic is wrong: it gives a value of type string instead of true or false",
		},
		"a rule for a known kind tightens it": {
			object: `{apiVersion: v1, kind: ConfigMap, metadata: {name: lock}, status: {free: false}}`,
			rules:  []v1alpha1.ReadyRule{{APIVersion: "v1", Kind: "ConfigMap", Expression: "object.status.free"}},
			want:   health.Progressing, says: "ConfigMap lock is not ready: the rule for its kind does not hold yet (object.status.free)",
		},
		"a rule for a known kind does not loosen it": {
			object: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, status: {phase: Pending}}`,
			rules:  []v1alpha1.ReadyRule{{APIVersion: "v1", Kind: "PersistentVolumeClaim", Expression: "true"}},
			want:   health.Progressing, says: "waiting for a volume; it may come only when a pod asks for it",
		},
	})
}

func TestKindsWithoutRule(t *testing.T) {
	t.Parallel()
	topic := func(generation, status string) string {
		return `{apiVersion: example.com/v1, kind: Topic, metadata: {name: orders, generation: ` + generation + `}` + status + `}`
	}
	checkVerdicts(t, map[string]judged{
		"Ready is true": {
			object: topic("2", `, status: {observedGeneration: 2, conditions: [{type: Ready, status: "True", observedGeneration: 2}]}`),
			want:   health.Ready, says: "its Ready condition is true",
		},
		"Ready is of the version before": {
			object: topic("2", `, status: {conditions: [{type: Ready, status: "True", observedGeneration: 1}]}`),
			want:   health.Progressing, says: "the Ready condition of Topic orders is of an older version",
		},
		"Ready is false": {
			object: topic("1", `, status: {conditions: [{type: Ready, status: "False", reason: Creating}]}`),
			want:   health.Progressing, says: "Topic orders is not ready: Creating",
		},
		"it is being reconciled": {
			object: topic("1", `, status: {conditions: [{type: Reconciling, status: "True", message: creating partitions}, {type: Ready, status: "True"}]}`),
			want:   health.Progressing, says: "Topic orders is being worked on: creating partitions",
		},
		"its controller gave up": {
			object: topic("1", `, status: {conditions: [{type: Stalled, status: "True", message: no such broker}]}`),
			want:   health.Failed, class: v1alpha1.CauseNoProgress, says: "Topic orders is stalled: no such broker",
		},
		"it reports nothing anybody can judge": {
			object: topic("1", `, status: {phase: Up}`),
			want:   health.Unknown, says: "Topic orders reports no Ready condition; give its kind a ready rule in the template",
		},
		"it has no status": {
			object: topic("1", ``),
			want:   health.Progressing, says: "Topic orders has no status yet; if its kind never has one, say so with the ready rule `true` in the template",
		},
	})
}
