package engine

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

// Dismantle says what to delete next to take an environment down in the reverse of
// the order it was brought up in. nodes is the frozen plan of the last run; a node it
// does not know has no order. It is pure.
//
// Only workloads are deleted one by one; passive objects go with the namespace. done says
// that it is its turn: no workload is left, or only such as are going already, hold nothing
// back and need nobody for it but the cluster itself.
func Dismantle(nodes []v1alpha1.PlanNode, scope target.Scope, state target.State) (remove []Deletion, done bool, message string) {
	r := survey(scope, state)
	if len(r.there)+len(r.going) == 0 {
		return nil, true, "all services are gone"
	}
	shut := r.held(nodes)
	for node, objects := range r.there {
		if !shut[node] {
			remove = append(remove, objects...)
		}
	}
	slices.SortFunc(remove, inOrder)
	return remove, len(r.there) == 0 && r.alone, fmt.Sprintf("%s left to stop", services(r.left()))
}

// remains are what is left of the nodes of an environment.
type remains struct {
	there map[string][]Deletion // what nobody has deleted yet, by node
	going map[string]bool       // nodes of which something is terminating
	alone bool                  // what is terminating needs no controller but the cluster's own
}

// survey looks at what is left. The pods of a workload outlive it.
func survey(scope target.Scope, state target.State) *remains {
	r := &remains{there: map[string][]Deletion{}, going: map[string]bool{}, alone: true}
	for key, live := range state.Objects {
		node := target.Annotation(live, v1alpha1.AnnotationNode)
		if node == "" || !target.Owned(scope, live) {
			continue
		}
		if live.GetDeletionTimestamp() != nil {
			r.going[node] = true
			r.alone = r.alone && builtIn(key.Group)
			continue
		}
		r.there[node] = append(r.there[node], Deletion{Key: key, UID: live.GetUID()})
	}
	for service, pods := range state.Pods {
		if slices.ContainsFunc(pods, outlives) {
			r.going[service] = true
		}
	}
	return r
}

// outlives says whether a pod is of a workload that is gone before its pods are, which
// nobody but its controller starts.
func outlives(pod *corev1.Pod) bool {
	return pod.Annotations[v1alpha1.AnnotationPodHash] != "" && metav1.GetControllerOf(pod) != nil
}

// builtIn says whether a group is one of Kubernetes' own.
func builtIn(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// held are the nodes that must wait since something after them is still there. Nodes
// come in order, so that one pass from the end sees everything after a node first.
func (r *remains) held(nodes []v1alpha1.PlanNode) map[string]bool {
	shut := map[string]bool{}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		present := len(r.there[n.Name]) > 0 || r.going[n.Name]
		if !present && !shut[n.Name] {
			continue
		}
		for _, before := range n.After {
			shut[before] = true
		}
	}
	return shut
}

// left counts the services, a hook as its service.
func (r *remains) left() int {
	names := map[string]bool{}
	for node := range r.there {
		names[serviceOf(node)] = true
	}
	for node := range r.going {
		names[serviceOf(node)] = true
	}
	return len(names)
}

func serviceOf(node string) string {
	service, _, _ := strings.Cut(node, "/")
	return service
}
