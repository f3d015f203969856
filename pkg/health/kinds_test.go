package health_test

import (
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

func TestNetworkAndStorageKinds(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"a bound claim": {
			object: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, status: {phase: Bound}}`,
			want:   health.Ready, says: "bound",
		},
		"a pending claim is not a failure": {
			object: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, status: {phase: Pending}}`,
			want:   health.Progressing, says: "waiting for a volume; it may come only when a pod asks for it",
		},
		"a claim whose volume is gone": {
			object: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {volumeName: pv-1}, status: {phase: Lost}}`,
			want:   health.Failed, class: v1alpha1.CauseUnschedulable, says: "PersistentVolumeClaim data lost its volume pv-1",
		},
		"a cluster service": {
			object: `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: ClusterIP, clusterIP: 10.0.0.4}, status: {loadBalancer: {}}}`,
			want:   health.Ready, says: "in force",
		},
		"a load balancer without an address": {
			object: `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer}, status: {loadBalancer: {}}}`,
			want:   health.Progressing, says: "Service web waits for the address of its load balancer",
		},
		"a load balancer with an address": {
			object: `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}}`,
			want:   health.Ready, says: "reachable at 192.0.2.7",
		},
		"a service of another group is another kind": {
			object: `{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web, generation: 1}, status: {observedGeneration: 1, conditions: [{type: Ready, status: Unknown, message: Waiting for the revision.}]}}`,
			want:   health.Progressing, says: "Service web is not ready: Waiting for the revision",
		},
		"an ingress whose controller reports no address": {
			object: `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, generation: 1}, status: {loadBalancer: {}}}`,
			want:   health.Ready, says: "in force",
		},
		"an ingress with an address": {
			object: `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, status: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}}`,
			want:   health.Ready, says: "served at lb.example.com",
		},
	})
}

func TestPolicyKinds(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"an autoscaler that scales": {
			object: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, status: {conditions: [{type: AbleToScale, status: "True"}, {type: ScalingActive, status: "True"}]}}`,
			want:   health.Ready, says: "scales its target",
		},
		"an autoscaler whose target has no metrics yet": {
			object: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, status: {conditions: [{type: AbleToScale, status: "True"}, {type: ScalingActive, status: "False", reason: FailedGetResourceMetric, message: no metrics returned}]}}`,
			want:   health.Ready, says: "found its target; no metrics returned",
		},
		"an autoscaler without a target": {
			object: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, status: {conditions: [{type: AbleToScale, status: "False", reason: FailedGetScale, message: deployments.apps "web" not found}]}}`,
			want:   health.Progressing, says: `HorizontalPodAutoscaler web has not found what it scales: deployments.apps "web" not found`,
		},
		"an autoscaler with a wrong metric": {
			object: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, status: {conditions: [{type: AbleToScale, status: "True"}, {type: ScalingActive, status: "False", reason: InvalidMetricSourceType, message: unknown metric source type}]}}`,
			want:   health.Failed, class: v1alpha1.CauseConfig, says: "HorizontalPodAutoscaler web cannot scale: unknown metric source type",
		},
		"an autoscaler nobody looked at": {
			object: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}}`,
			want:   health.Progressing, says: "the cluster has not looked at HorizontalPodAutoscaler web yet",
		},
		"a budget that is met": {
			object: `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, generation: 1}, status: {observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1}}`,
			want:   health.Ready, says: "its budget is met",
		},
		"a budget with too few pods": {
			object: `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, generation: 1}, status: {observedGeneration: 1, currentHealthy: 0, desiredHealthy: 1}}`,
			want:   health.Progressing, says: "0 of the 1 pods that PodDisruptionBudget web protects are healthy",
		},
	})
}

func TestExtensionKinds(t *testing.T) {
	t.Parallel()
	checkVerdicts(t, map[string]judged{
		"a definition that is served": {
			object: `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: topics.example.com}, status: {conditions: [{type: NamesAccepted, status: "True"}, {type: Established, status: "True"}]}}`,
			want:   health.Ready, says: "served",
		},
		"a definition on its way": {
			object: `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: topics.example.com}, spec: {names: {kind: Topic}}, status: {conditions: [{type: NamesAccepted, status: "True"}, {type: Established, status: "False", reason: Installing}]}}`,
			want:   health.Progressing, says: "the cluster does not serve Topic yet",
		},
		"a definition whose name is taken": {
			object: `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: topics.example.com}, status: {conditions: [{type: NamesAccepted, status: "False", reason: PluralConflict, message: '"topics" is already in use'}]}}`,
			want:   health.Failed, class: v1alpha1.CauseConflict, says: `CustomResourceDefinition topics.example.com cannot be served: "topics" is already in use`,
		},
		"a server that answers": {
			object: `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.example.com}, status: {conditions: [{type: Available, status: "True"}]}}`,
			want:   health.Ready, says: "answers",
		},
		"a server that does not answer": {
			object: `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.example.com}, status: {conditions: [{type: Available, status: "False", reason: MissingEndpoints}]}}`,
			want:   health.Progressing, says: "the server of APIService v1.example.com does not answer: MissingEndpoints",
		},
	})
}

func TestKindsWithoutStatusAreReadyOnceWritten(t *testing.T) {
	t.Parallel()
	table := map[string]judged{}
	for kind, version := range map[string]string{
		"ConfigMap": "v1", "Secret": "v1", "ServiceAccount": "v1", "LimitRange": "v1", "ResourceQuota": "v1",
		"EndpointSlice": "discovery.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1",
		"Role": "rbac.authorization.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1", "PriorityClass": "scheduling.k8s.io/v1",
	} {
		table[kind] = judged{object: "{apiVersion: " + version + ", kind: " + kind + ", metadata: {name: it}}", want: health.Ready, says: "in force"}
	}
	checkVerdicts(t, table)
}
