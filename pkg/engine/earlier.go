package engine

import (
	"fmt"
	"slices"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// findEarlier finds the jobs that a plan before this one wrote and that still run, by
// node. Jobs are named by their content, so a changed one is another object: unless the
// earlier one stops first, two migrations work on one database.
func (k *walk) findEarlier() {
	for key, live := range k.world.State.Objects {
		if key.Kind != "Job" || k.plan.Wants(key) || !target.Owned(k.world.Scope, live) {
			continue
		}
		if live.GetDeletionTimestamp() == nil && health.Of(live, nil).State != health.Progressing {
			continue // ended: prune takes it
		}
		node := target.Annotation(live, v1alpha1.AnnotationNode)
		k.earlier[node] = append(k.earlier[node], Deletion{Key: key, UID: live.GetUID()})
	}
	for _, jobs := range k.earlier {
		slices.SortFunc(jobs, inOrder)
	}
}

// lookForEarlier holds a node back until its earlier jobs are gone.
func (k *walk) lookForEarlier(v *view, n plan.Node) {
	jobs := k.earlier[n.Name]
	if len(jobs) == 0 {
		return
	}
	v.settled, v.written, v.going, v.missing = false, false, true, nil
	v.message = fmt.Sprintf("waits for %s of an earlier run to stop", jobs[0].Key)
	for _, j := range jobs {
		if k.world.State.Objects[j.Key].GetDeletionTimestamp() == nil {
			v.retry = append(v.retry, j)
		}
	}
}
