package health_test

import (
	"testing"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// refused is a pod web-1 that the scheduler refused at the second given, for the reason given.
func refused(second, spec, message string) string {
	return `
- metadata: {name: web-1}
  spec: ` + spec + `
  status:
    phase: Pending
    conditions:
    - {type: PodScheduled, status: "False", reason: Unschedulable, lastTransitionTime: "2026-11-22T10:00:` + second + `Z", message: '` + message + `'}`
}

func TestPodsThatNoNodeTakes(t *testing.T) {
	t.Parallel()
	const preemption = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
	checkPods(t, map[string]telling{
		"too little of a resource and a taint": {
			pods: refused("40", `{containers: [{name: web, image: web, resources: {requests: {cpu: "64"}}}]}`,
				`0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu.`+preemption),
			class:    v1alpha1.CauseUnschedulable,
			says:     "no node takes pod web-1: of 3 nodes, 1 refuses it by the taint node-role.kubernetes.io/control-plane and 2 have too little free cpu (it asks for 64)",
			evidence: &health.Evidence{Pod: "web-1", Short: "cpu"},
		},
		"a selector that no node matches": {
			pods: refused("40", `{nodeSelector: {disk: ssd, arch: arm64}, containers: [{name: web, image: web}]}`,
				`0/1 nodes are available: 1 node(s) didn''t match Pod''s node affinity/selector.`),
			class: v1alpha1.CauseUnschedulable,
			says:  "no node takes pod web-1: of 1 node, 1 does not match its node selector arch=arm64,disk=ssd",
		},
		"a full and a closed node": {
			pods:  refused("40", `{}`, `0/2 nodes are available: 1 Too many pods, 1 node(s) were unschedulable.`),
			class: v1alpha1.CauseUnschedulable,
			says:  "no node takes pod web-1: of 2 nodes, 1 has as many pods as allowed and 1 is closed to new pods",
		},
		"words of a scheduler nobody foresaw": {
			pods:  refused("40", `{}`, `no nodes available to schedule pods`),
			class: v1alpha1.CauseUnschedulable, says: "no node takes pod web-1: no nodes available to schedule pods",
		},
		"refused half a second ago": {
			pods: refused("59.5", `{}`, `0/1 nodes are available: 1 Insufficient memory.`), later: 500 * time.Millisecond,
		},
		"a volume is being made": {
			pods:  refused("45", `{}`, `0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.`+preemption),
			later: 15 * time.Second,
		},
		"a volume does not come": {
			pods:  refused("10", `{}`, `0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.`+preemption),
			class: v1alpha1.CauseUnschedulable, says: "no node takes pod web-1: its volume claim has no volume",
		},
		"a scheduling gate is no refusal": {
			pods: `
- metadata: {name: web-1}
  status:
    conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated, lastTransitionTime: "2026-11-22T10:00:00Z"}]`,
		},
	})
}

const crash = `{name: web, restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}}`

func TestPodsThatDoNotDecide(t *testing.T) {
	t.Parallel()
	checkPods(t, map[string]telling{
		"no pods": {pods: `[]`},
		"a pod that is being deleted": {pods: `
- metadata: {name: web-1, deletionTimestamp: "2026-11-22T10:00:30Z"}
  status: {containerStatuses: [` + crash + `]}`},
		"a pod that has ended": {pods: `
- metadata: {name: web-1}
  status: {phase: Failed, reason: Evicted, containerStatuses: [` + crash + `]}`},
		"a pod of an older replica set": {pods: `
- metadata: {name: web-old-1, labels: {pod-template-hash: old}, creationTimestamp: "2026-11-22T09:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-old, uid: a, controller: true}]}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-new-1, labels: {pod-template-hash: new}, creationTimestamp: "2026-11-22T10:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-new, uid: b, controller: true}]}
  status: {containerStatuses: [{name: web, state: {running: {}}}]}`},
		"a pod of an older revision of a stateful set": {pods: `
- metadata: {name: web-0, labels: {controller-revision-hash: web-1}, creationTimestamp: "2026-11-22T09:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: a, controller: true}]}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-1, labels: {controller-revision-hash: web-2}, creationTimestamp: "2026-11-22T10:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: a, controller: true}]}
  status: {containerStatuses: [{name: web, state: {running: {}}}]}`},
	})
}

func TestPodsThatDecide(t *testing.T) {
	t.Parallel()
	checkPods(t, map[string]telling{
		"an older workload of the same service beside a newer one": {
			pods: `
- metadata: {name: worker-a-1, labels: {pod-template-hash: a}, creationTimestamp: "2026-11-22T09:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: worker-a, uid: a, controller: true}]}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-b-1, labels: {pod-template-hash: b}, creationTimestamp: "2026-11-22T10:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-b, uid: b, controller: true}]}
  status: {containerStatuses: [{name: web, state: {running: {}}}]}`,
			class: v1alpha1.CauseCrashLoop, says: "container web of pod worker-a-1 ends with exit code 1 every time (5 restarts)",
			evidence: evidence("worker-a-1"),
		},
		"the older replica set again, after a roll back": {
			pods: `
- metadata: {name: web-old-9, labels: {pod-template-hash: old}, creationTimestamp: "2026-11-22T10:00:30Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-old, uid: a, controller: true}]}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-new-1, labels: {pod-template-hash: new}, creationTimestamp: "2026-11-22T10:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-new, uid: b, controller: true}]}
  status: {containerStatuses: [{name: web, state: {running: {}}}]}`,
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-old-9 ends with exit code 1 every time (5 restarts)",
			evidence: evidence("web-old-9"),
		},
		"a missing image tells more than a crash": {
			pods: `
- metadata: {name: web-1}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-2}
  status: {containerStatuses: [{name: web, state: {waiting: {reason: ErrImagePull, message: "not found"}}}]}`,
			class: v1alpha1.CauseImage, says: "image registry.example.com/shop/web:1.4 of container web of pod web-2 cannot be pulled: the registry has no such image",
		},
		"of two alike the first by name speaks": {
			pods: `
- metadata: {name: web-2}
  status: {containerStatuses: [` + crash + `]}
- metadata: {name: web-1}
  status: {containerStatuses: [` + crash + `]}`,
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 1 every time (5 restarts)",
			evidence: evidence("web-1"),
		},
	})
}
