package health_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

func evidence(pod string) *health.Evidence {
	return &health.Evidence{Pod: pod, Container: "web", Previous: true}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	const probed = `{nodeName: a, containers: [{name: web, image: web, readinessProbe: {tcpSocket: {port: 80}}}]}`
	one := func(spec, status string) string {
		return "- metadata: {name: web-1}\n  spec: " + spec + "\n  status: " + status
	}
	for name, row := range map[string]struct{ pods, want string }{
		"no pod":      {`[]`, "no pod has been created yet"},
		"no node yet": {one(`{containers: [{name: web, image: web}]}`, `{}`), "waiting for a node"},
		"no volume yet": {
			refused("59", `{}`, `0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.`), "waiting for a volume",
		},
		"no room yet": {
			refused("59", `{}`, `0/1 nodes are available: 1 Insufficient cpu.`), "waiting for a node: of 1 node, 1 has too little free cpu",
		},
		"a gate": {one(`{schedulingGates: [{name: example.com/budget}]}`, `{}`), "held back by the scheduling gate example.com/budget"},
		"its volume is mounted": {
			one(`{nodeName: a, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}`,
				`{conditions: [{type: PodReadyToStartContainers, status: "False"}], containerStatuses: [{name: web, state: {waiting: {reason: ContainerCreating}}}]}`),
			"waiting for a volume",
		},
		"its network is prepared": {
			one(`{nodeName: a}`,
				`{conditions: [{type: PodReadyToStartContainers, status: "False"}], containerStatuses: [{name: web, state: {waiting: {reason: ContainerCreating}}}]}`),
			"preparing the network and the files of pod web-1",
		},
		"its image is pulled": {
			one(`{nodeName: a}`,
				`{conditions: [{type: PodReadyToStartContainers, status: "True"}], containerStatuses: [{name: web, state: {waiting: {reason: ContainerCreating}}}]}`),
			"pulling image registry.example.com/shop/web:1.4",
		},
		"an init container runs": {
			one(`{nodeName: a, initContainers: [{name: wait, image: wait}]}`,
				`{initContainerStatuses: [{name: wait, state: {running: {}}}], containerStatuses: [{name: web, state: {waiting: {reason: PodInitializing}}}]}`),
			"init container wait is running",
		},
		"it crashed once": {
			one(`{nodeName: a}`, `{containerStatuses: [{name: web, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 3}}}]}`),
			"container web ended with exit code 3 and is started again",
		},
		"its probe has not succeeded": {
			one(probed, `{containerStatuses: [{name: web, state: {running: {}}}]}`),
			"container web runs but its readiness probe has not succeeded",
		},
		"its startup probe has not succeeded": {
			one(`{nodeName: a, containers: [{name: web, image: web, startupProbe: {tcpSocket: {port: 80}}}]}`, `{containerStatuses: [{name: web, started: false, state: {running: {}}}]}`),
			"container web runs but its startup probe has not succeeded",
		},
		"a readiness gate": {
			one(`{nodeName: a, readinessGates: [{conditionType: example.com/routed}]}`, `{containerStatuses: [{name: web, ready: true, state: {running: {}}}]}`),
			"pod web-1 waits for its condition example.com/routed",
		},
		"all ready": {
			one(`{nodeName: a}`, `{conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: web, ready: true, state: {running: {}}}]}`), "",
		},
		"the one furthest behind speaks": {
			one(probed, `{containerStatuses: [{name: web, state: {running: {}}}]}`) + "\n- metadata: {name: web-2}", "waiting for a node",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(row.want, health.Waiting(parsePods(t, row.pods))); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnprobedNamesTheProbe(t *testing.T) {
	t.Parallel()
	cause, got := health.Unprobed(parsePods(t, `
- metadata: {name: web-1}
  spec: {nodeName: a, containers: [{name: web, image: web, readinessProbe: {httpGet: {path: /healthz, port: 80}}}]}
  status: {containerStatuses: [{name: web, state: {running: {}}}]}`))
	checkCause(t, cause, v1alpha1.CauseProbe)
	if diff := cmp.Diff(&health.Evidence{Pod: "web-1", Container: "web"}, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

func TestNothingIsUnprobedWhereNothingRunsWithAProbe(t *testing.T) {
	t.Parallel()
	for name, pods := range map[string]string{
		"no pod":                      `[]`,
		"a container without a probe": `[{metadata: {name: web-1}, spec: {nodeName: a, containers: [{name: web}]}, status: {containerStatuses: [{name: web, state: {running: {}}}]}}]`,
		"a container that serves":     `[{metadata: {name: web-1}, spec: {nodeName: a, containers: [{name: web, readinessProbe: {}}]}, status: {containerStatuses: [{name: web, ready: true, state: {running: {}}}]}}]`,
		"a container that waits":      `[{metadata: {name: web-1}, spec: {nodeName: a, containers: [{name: web, readinessProbe: {}}]}, status: {containerStatuses: [{name: web, state: {waiting: {}}}]}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if cause, got := health.Unprobed(parsePods(t, pods)); cause != nil || got != nil {
				t.Errorf("Unprobed() = %v, %v; want nothing", cause, got)
			}
		})
	}
}

func TestJobPodsExplainAFailedJob(t *testing.T) {
	t.Parallel()
	cause, got := health.JobPods(parsePods(t, `
- metadata: {name: migrate-1, creationTimestamp: "2026-11-22T10:00:00Z"}
  status: {phase: Failed, containerStatuses: [{name: web, state: {terminated: {exitCode: 1, reason: Error}}}]}
- metadata: {name: migrate-2, creationTimestamp: "2026-11-22T10:00:20Z"}
  status: {phase: Failed, containerStatuses: [{name: web, state: {terminated: {exitCode: 7, reason: Error}}}]}
- metadata: {name: migrate-3, creationTimestamp: "2026-11-22T10:00:40Z"}
  status: {phase: Succeeded, containerStatuses: [{name: web, state: {terminated: {exitCode: 0}}}]}`))
	checkCause(t, cause, v1alpha1.CauseJobFailed)
	if cause.ExitCode == nil || *cause.ExitCode != 7 || cause.Message != "container web of pod migrate-2 ended with exit code 7" {
		t.Errorf("cause is %q with exit code %v, want pod migrate-2 and 7", cause.Message, cause.ExitCode)
	}
	if diff := cmp.Diff(&health.Evidence{Pod: "migrate-2", Container: "web"}, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if cause, got := health.JobPods(nil); cause != nil || got != nil {
		t.Errorf("without pods: %v, %v", cause, got)
	}
}
