package health_test

import (
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// web is a Deployment at generation 4 with the status given.
func web(status string) string {
	return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-a-shop, generation: 4}
spec: {replicas: 3, progressDeadlineSeconds: 120}
` + status
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"all pods of the new version are available": {
			object: web(`status: {observedGeneration: 4, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}`),
			want:   health.Ready, says: "3 of 3 pods are ready",
		},
		"the status is of the version before": {
			object: web(`status: {observedGeneration: 3, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}`),
			want:   health.Progressing, says: "the cluster has not taken up the newest version of Deployment web yet",
		},
		"there is no status": {
			object: web(``),
			want:   health.Progressing, says: "the cluster has not looked at Deployment web yet",
		},
		"the status does not say its generation": {
			object: web(`status: {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}`),
			want:   health.Progressing, says: "the cluster has not looked at Deployment web yet",
		},
		"it is being deleted": {
			object: `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, generation: 4, deletionTimestamp: "2026-11-22T10:00:00Z"}
spec: {replicas: 1}
status: {observedGeneration: 4, replicas: 1, updatedReplicas: 1, availableReplicas: 1}`,
			want: health.Progressing, says: "Deployment web is being deleted",
		},
		"one of three pods runs the new version": {
			object: web(`status: {observedGeneration: 4, replicas: 4, updatedReplicas: 1, availableReplicas: 3}`),
			want:   health.Progressing, says: "1 of 3 pods run the new version",
		},
		"a pod of the old version still serves": {
			object: web(`status: {observedGeneration: 4, replicas: 4, updatedReplicas: 3, availableReplicas: 3}`),
			want:   health.Progressing, says: "1 pod of the old version still to go",
		},
		"a pod is ready, two are not": {
			object: web(`status: {observedGeneration: 4, replicas: 3, updatedReplicas: 3, availableReplicas: 1}`),
			want:   health.Progressing, says: "1 of 3 pods are ready at the new version",
		},
		"scaling down is not finished": {
			object: web(`status: {observedGeneration: 4, replicas: 5, updatedReplicas: 5, availableReplicas: 5}`),
			want:   health.Progressing, says: "2 pods more than wanted still to go",
		},
		"no pods are wanted": {
			object: `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, generation: 2}
spec: {replicas: 0}
status: {observedGeneration: 2}`,
			want: health.Ready, says: "scaled to zero pods, as asked",
		},
	})
}

func TestDeploymentThatCannotComeUp(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"the cluster gave up waiting": {
			object: web(`
status:
  observedGeneration: 4
  replicas: 3
  updatedReplicas: 3
  availableReplicas: 1
  conditions:
  - {type: Available, status: "False", reason: MinimumReplicasUnavailable}
  - {type: Progressing, status: "False", reason: ProgressDeadlineExceeded, lastUpdateTime: "2026-11-22T10:02:00Z"}`),
			want: health.Failed, class: v1alpha1.CauseNoProgress,
			says: "Deployment web made no progress for 120 seconds: 1 of 3 pods are ready at the new version",
		},
		"the cluster gave up on the version before the last write": {
			object: `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  generation: 4
  managedFields:
  - {manager: spock, operation: Apply, apiVersion: apps/v1, time: "2026-11-22T10:05:00Z"}
  - {manager: kube-controller-manager, operation: Update, subresource: status, apiVersion: apps/v1, time: "2026-11-22T10:05:01Z"}
spec: {replicas: 1}
status:
  observedGeneration: 4
  replicas: 1
  updatedReplicas: 1
  conditions:
  - {type: Progressing, status: "False", reason: ProgressDeadlineExceeded, lastUpdateTime: "2026-11-22T10:02:00Z"}`,
			want: health.Progressing, says: "0 of 1 pods are ready at the new version",
		},
		"it exceeded its deadline once but is ready now": {
			object: web(`
status:
  observedGeneration: 4
  replicas: 3
  updatedReplicas: 3
  availableReplicas: 3
  conditions:
  - {type: Progressing, status: "False", reason: ProgressDeadlineExceeded}`),
			want: health.Ready, says: "3 of 3 pods are ready",
		},
		"the quota does not allow its pods": {
			object: web(`
status:
  observedGeneration: 4
  conditions:
  - type: ReplicaFailure
    status: "True"
    reason: FailedCreate
    message: 'pods "web-5f7c9-" is forbidden: exceeded quota: spock, requested: requests.cpu=500m, used: requests.cpu=1800m, limited: requests.cpu=2'`),
			want: health.Failed, class: v1alpha1.CauseQuota,
			says: "quota spock is used up: requests.cpu asked for 500m, 1800m of 2 are taken",
		},
		"the namespace enforces pod security": {
			object: web(`
status:
  observedGeneration: 4
  conditions:
  - type: ReplicaFailure
    status: "True"
    reason: FailedCreate
    message: 'pods "web-5f7c9-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)'`),
			want: health.Failed, class: v1alpha1.CauseRefused,
			says: `the namespace enforces pod security restricted:latest: runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)`,
		},
		"its service account is not there yet": {
			object: web(`
status:
  observedGeneration: 4
  conditions:
  - type: ReplicaFailure
    status: "True"
    reason: FailedCreate
    message: 'pods "web-5f7c9-" is forbidden: error looking up service account team-a-shop/web: serviceaccount "web" not found'`),
			want: health.Progressing,
			says: `0 of 3 pods run the new version; the next one cannot be created yet: pods "web-5f7c9-" is forbidden: error looking up service account team-a-shop/web: serviceaccount "web" not found`,
		},
	})
}
