package engine

import (
	"fmt"
	"slices"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

// Dismantle says what to delete next to take an environment down in the reverse of
// the order it was brought up in. nodes is the frozen plan of the last run; a node it
// does not know has no order. It is pure.
//
// Only workloads are deleted one by one; passive objects go with the namespace, when
// done says that no workload is left.
func Dismantle(nodes []v1alpha1.PlanNode, scope target.Scope, state target.State) (remove []Deletion, done bool, message string) {
	there := map[string][]Deletion{} // what is still there, by node
	going := map[string]bool{}       // nodes that have something terminating
	for key, live := range state.Objects {
		node := live.GetAnnotations()[v1alpha1.AnnotationNode]
		if node == "" || !target.Owned(scope, live) {
			continue
		}
		if live.GetDeletionTimestamp() != nil {
			going[node] = true
			continue
		}
		there[node] = append(there[node], Deletion{Key: key, UID: live.GetUID()})
	}
	if len(there)+len(going) == 0 {
		return nil, true, "all services are gone"
	}
	shut := held(nodes, there, going)
	for node, objects := range there {
		if !shut[node] {
			remove = append(remove, objects...)
		}
	}
	slices.SortFunc(remove, inOrder)
	return remove, false, fmt.Sprintf("%s left to stop", services(left(there, going)))
}

// held are the nodes that must wait since something after them is still there. Nodes
// come in order, so that one pass from the end sees everything after a node first.
func held(nodes []v1alpha1.PlanNode, there map[string][]Deletion, going map[string]bool) map[string]bool {
	shut := map[string]bool{}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		present := len(there[n.Name]) > 0 || going[n.Name]
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
func left(there map[string][]Deletion, going map[string]bool) int {
	names := map[string]bool{}
	for node := range there {
		names[serviceOf(node)] = true
	}
	for node := range going {
		names[serviceOf(node)] = true
	}
	return len(names)
}

func serviceOf(node string) string {
	service, _, _ := strings.Cut(node, "/")
	return service
}
