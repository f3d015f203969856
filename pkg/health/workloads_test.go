package health_test

import (
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// db is a StatefulSet at generation 2 with the strategy and status given.
func db(strategy, status string) string {
	return `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: team-a-shop, generation: 2}
spec:
  replicas: 2
  updateStrategy: ` + strategy + `
` + status
}

func TestStatefulSet(t *testing.T) {
	t.Parallel()
	const rolling = `{type: RollingUpdate, rollingUpdate: {partition: 0}}`
	checkVerdicts(t, map[string]judged{
		"all pods are ready at one revision": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2, currentRevision: db-7, updateRevision: db-7}`),
			want:   health.Ready, says: "2 of 2 pods are ready",
		},
		"the first pod is being made": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, currentRevision: db-7, updateRevision: db-7}`),
			want:   health.Progressing, says: "1 of 2 pods run the new version",
		},
		"one pod is not ready": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 2, currentRevision: db-7, updateRevision: db-7}`),
			want:   health.Progressing, says: "1 of 2 pods are ready",
		},
		"a pod is ready but not available for long enough": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 1, updatedReplicas: 2, currentRevision: db-7, updateRevision: db-7}`),
			want:   health.Progressing, says: "1 of 2 pods are ready",
		},
		"a pod still has the old revision": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 1, currentRevision: db-6, updateRevision: db-7}`),
			want:   health.Progressing, says: "1 of 2 pods run the new version",
		},
		"the rollout is not closed": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2, currentRevision: db-6, updateRevision: db-7}`),
			want:   health.Progressing, says: "the new version runs everywhere; the old one is being closed",
		},
		"pods below the partition keep the old revision": {
			object: db(`{type: RollingUpdate, rollingUpdate: {partition: 1}}`, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 1, currentRevision: db-6, updateRevision: db-7}`),
			want:   health.Ready, says: "2 of 2 pods are ready",
		},
		"pods change only when they are deleted": {
			object: db(`{type: OnDelete}`, `status: {observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2, currentRevision: db-6, updateRevision: db-7}`),
			want:   health.Ready, says: "2 of 2 pods are ready",
		},
		"scaling down is not finished": {
			object: db(rolling, `status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3, currentRevision: db-7, updateRevision: db-7}`),
			want:   health.Progressing, says: "1 pod more than wanted still to go",
		},
		"the status is of the version before": {
			object: db(rolling, `status: {observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2, currentRevision: db-6, updateRevision: db-6}`),
			want:   health.Progressing, says: "the cluster has not taken up the newest version of StatefulSet db yet",
		},
	})
}

func agent(strategy, status string) string {
	return `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, generation: 3}
spec: {updateStrategy: {type: ` + strategy + `}}
` + status
}

func TestDaemonSet(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"every node has an available pod": {
			object: agent("RollingUpdate", `status: {observedGeneration: 3, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 3, numberAvailable: 3}`),
			want:   health.Ready, says: "3 of 3 nodes have a ready pod",
		},
		"a node runs the old version": {
			object: agent("RollingUpdate", `status: {observedGeneration: 3, desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberReady: 3, numberAvailable: 3}`),
			want:   health.Progressing, says: "2 of 3 nodes run the new version",
		},
		"old versions stay until they are deleted": {
			object: agent("OnDelete", `status: {observedGeneration: 3, desiredNumberScheduled: 3, numberReady: 3, numberAvailable: 3}`),
			want:   health.Ready, says: "3 of 3 nodes have a ready pod",
		},
		"a node's pod is not available": {
			object: agent("RollingUpdate", `status: {observedGeneration: 3, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1}`),
			want:   health.Progressing, says: "1 of 3 nodes have a ready pod",
		},
		"no node is meant": {
			object: agent("RollingUpdate", `status: {observedGeneration: 3, desiredNumberScheduled: 0, numberReady: 0}`),
			want:   health.Ready, says: "no node is meant to run it",
		},
		"the nodes were not counted yet": {
			object: agent("RollingUpdate", `status: {desiredNumberScheduled: 0, numberReady: 0}`),
			want:   health.Progressing, says: "the cluster has not looked at DaemonSet agent yet",
		},
	})
}

func migrate(spec, status string) string {
	return `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, generation: 1}
spec: ` + spec + `
` + status
}

func TestJob(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"complete": {
			object: migrate(`{backoffLimit: 2}`, `status: {succeeded: 1, conditions: [{type: SuccessCriteriaMet, status: "True"}, {type: Complete, status: "True"}]}`),
			want:   health.Ready, says: "completed",
		},
		"its pod runs": {
			object: migrate(`{backoffLimit: 2}`, `status: {active: 1}`),
			want:   health.Progressing, says: "1 pod running",
		},
		"nothing has happened": {
			object: migrate(`{backoffLimit: 2}`, ``),
			want:   health.Progressing, says: "the cluster has not looked at Job migrate yet",
		},
		"a pod failed and another try is allowed": {
			object: migrate(`{backoffLimit: 2}`, `status: {active: 1, failed: 1}`),
			want:   health.Progressing, says: "1 pod failed so far; it may be tried 3 times",
		},
		"suspended": {
			object: migrate(`{suspend: true}`, `status: {conditions: [{type: Suspended, status: "True"}]}`),
			want:   health.Progressing, says: "Job migrate is suspended: nothing runs until spec.suspend is false",
		},
		"all tries failed": {
			object: migrate(`{backoffLimit: 2}`, `status: {failed: 3, conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]}`),
			want:   health.Failed, class: v1alpha1.CauseJobFailed,
			says: "Job migrate failed: 3 pods ended with an error and no further try is allowed",
		},
		"the cluster has decided and its pods are stopping": {
			object: migrate(`{activeDeadlineSeconds: 60}`, `status: {active: 1, conditions: [{type: FailureTarget, status: "True", reason: DeadlineExceeded}]}`),
			want:   health.Failed, class: v1alpha1.CauseJobFailed,
			says: "Job migrate failed: it ran longer than the 60 seconds it may take",
		},
		"a pod failure policy gave up": {
			object: migrate(`{}`, `status: {failed: 1, conditions: [{type: Failed, status: "True", reason: PodFailurePolicy, message: "Container main for pod x failed with exit code 42 matching FailJob rule at index 0"}]}`),
			want:   health.Failed, class: v1alpha1.CauseJobFailed,
			says: "Job migrate failed: Container main for pod x failed with exit code 42 matching FailJob rule at index 0",
		},
	})
}

func TestCronJobAndPod(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"a cron job is in force once written": {
			object: "{apiVersion: batch/v1, kind: CronJob, metadata: {name: report, generation: 1}, spec: {schedule: '0 3 * * *'}, status: {}}",
			want:   health.Ready, says: "runs at 0 3 * * *",
		},
		"a suspended cron job is what was asked for": {
			object: "{apiVersion: batch/v1, kind: CronJob, metadata: {name: report}, spec: {schedule: '0 3 * * *', suspend: true}}",
			want:   health.Ready, says: "suspended, as asked",
		},
		"a pod whose containers are ready": {
			object: `{apiVersion: v1, kind: Pod, metadata: {name: probe}, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`,
			want:   health.Ready, says: "its containers are ready",
		},
		"a pod that ran to its end": {
			object: `{apiVersion: v1, kind: Pod, metadata: {name: probe}, status: {phase: Succeeded, conditions: [{type: Ready, status: "False", reason: PodCompleted}]}}`,
			want:   health.Ready, says: "completed",
		},
		"a pod that is not ready": {
			object: `{apiVersion: v1, kind: Pod, metadata: {name: probe}, status: {phase: Running, conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [probe]"}]}}`,
			want:   health.Progressing, says: "Pod probe is not ready: containers with unready status: [probe]",
		},
		"a pod that failed": {
			object: `{apiVersion: v1, kind: Pod, metadata: {name: probe}, status: {phase: Failed}}`,
			want:   health.Failed, class: v1alpha1.CauseCrashLoop, says: "Pod probe failed: a container ended with an error",
		},
		"a pod that its node threw out": {
			object: `{apiVersion: v1, kind: Pod, metadata: {name: probe}, status: {phase: Failed, reason: Evicted, message: "The node was low on resource: memory. "}}`,
			want:   health.Failed, class: v1alpha1.CauseUnschedulable, says: "Pod probe failed: The node was low on resource: memory",
		},
	})
}
