package health_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/health"
)

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var out T
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoomSaysWhatFits(t *testing.T) {
	t.Parallel()
	const nodes = `
- {metadata: {name: a, labels: {disk: ssd}}, status: {allocatable: {cpu: "4", memory: 8Gi}}}
- {metadata: {name: b}, status: {allocatable: {cpu: "8", memory: 4Gi}}}
- {metadata: {name: closed}, spec: {unschedulable: true}, status: {allocatable: {cpu: "64"}}}
- {metadata: {name: tainted}, spec: {taints: [{key: gpu, effect: NoSchedule}]}, status: {allocatable: {cpu: "32"}}}
- {metadata: {name: disliked}, spec: {taints: [{key: old, effect: PreferNoSchedule}]}, status: {allocatable: {cpu: "1"}}}`
	const busy = `
a:
- {spec: {containers: [{name: x, resources: {requests: {cpu: "1"}}}, {name: y, resources: {requests: {cpu: 500m}}}]}}
- {spec: {containers: [{name: x, resources: {requests: {cpu: "3"}}}]}, status: {phase: Succeeded}}
b:
- {spec: {containers: [{name: x, resources: {requests: {cpu: "7"}}}], overhead: {cpu: 250m}}}`
	tests := map[string]struct{ pod, want string }{
		"more than any node has": {
			`{containers: [{name: web, resources: {requests: {cpu: "9"}}}]}`, "the largest node, b, offers 8 of cpu in all",
		},
		"as much as is in use": {
			`{containers: [{name: web, resources: {requests: {cpu: "8"}}}]}`, "most of it is free on node a: 2500m of cpu",
		},
		"a node that its selector leaves": {
			`{nodeSelector: {disk: ssd}, containers: [{name: web, resources: {requests: {cpu: "5"}}}]}`, "the largest node, a, offers 4 of cpu in all",
		},
		"a node whose taint it tolerates": {
			`{tolerations: [{key: gpu, operator: Exists}], containers: [{name: web, resources: {requests: {cpu: "33"}}}]}`, "the largest node, tainted, offers 32 of cpu in all",
		},
		"no node at all": {
			`{nodeSelector: {disk: tape}, containers: [{name: web, resources: {requests: {cpu: "1"}}}]}`, "no node would take it if it had room",
		},
		"an init container that asks for most": {
			`{initContainers: [{name: first, resources: {requests: {cpu: "9"}}}], containers: [{name: web, resources: {requests: {cpu: "1"}}}]}`, "the largest node, b, offers 8 of cpu in all",
		},
		"sidecars that run beside it": {
			`{initContainers: [{name: log, restartPolicy: Always, resources: {requests: {cpu: "5"}}}], containers: [{name: web, resources: {requests: {cpu: "4"}}}]}`, "the largest node, b, offers 8 of cpu in all",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := parse[corev1.Pod](t, "spec: "+tt.pod)
			candidates := health.Candidates(&pod, corev1.ResourceCPU, parse[[]corev1.Node](t, nodes))
			if got := health.Room(&pod, corev1.ResourceCPU, candidates, parse[map[string][]corev1.Pod](t, busy)); got != tt.want {
				t.Errorf("Room() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestANodeWithMoreThanItOffersHasNothingFree(t *testing.T) {
	t.Parallel()
	pod := parse[corev1.Pod](t, `spec: {containers: [{name: web, resources: {requests: {cpu: "1"}}}]}`)
	nodes := parse[[]corev1.Node](t, `[{metadata: {name: a}, status: {allocatable: {cpu: "1"}}}]`)
	on := parse[map[string][]corev1.Pod](t, `a: [{spec: {containers: [{name: x, resources: {requests: {cpu: "2"}}}]}}]`)
	if got, want := health.Room(&pod, corev1.ResourceCPU, nodes, on), "most of it is free on node a: 0 of cpu"; got != want {
		t.Errorf("Room() = %q, want %q", got, want)
	}
}
