package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/target"
)

// asked is of how many nodes at most the pods are counted.
const asked = 10

// Room implements target.Target. It lists the nodes and, of the largest that would take
// the pod, the pods; from the apiserver's cache, as a person looks who wants to know. It
// asks as the controller, as the owner of an environment may not see nodes.
func (t *Target) Room(ctx context.Context, scope target.Scope, name string, short corev1.ResourceName) (string, error) {
	found, exists, err := t.watches.podsIn.informer.GetIndexer().GetByKey(scope.Namespace + "/" + name)
	pod, ok := found.(*corev1.Pod)
	if err != nil || !exists || !ok {
		return "", nil // it is gone, and so is the question
	}
	nodes, err := t.own.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return "", fmt.Errorf("list the nodes: %w", err)
	}
	candidates := health.Candidates(pod, short, nodes.Items)
	on := map[string][]corev1.Pod{}
	for i := range candidates[:min(len(candidates), asked)] {
		node := candidates[i].Name
		pods, err := t.own.kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
			ResourceVersion: "0", FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
		})
		if err != nil {
			return "", fmt.Errorf("list the pods of node %s: %w", node, err)
		}
		on[node] = pods.Items
	}
	return health.Room(pod, short, candidates[:min(len(candidates), asked)], on), nil
}
