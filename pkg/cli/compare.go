package cli

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/diff"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// What would become of an object.
const (
	created   = "created"
	changed   = "changed"
	unchanged = "unchanged"
	deleted   = "deleted"
	foreign   = "refused"
)

// step is a node of a plan with what would become of its objects.
type step struct {
	wave        int
	group, name string
	after       []string
	objects     []outcome
}

type outcome struct {
	key    plan.Key
	change string
	fields []diff.Change // of an object that would be changed
}

// compare says what the plan means for what is there. It is pure.
func compare(env *v1alpha1.Environment, p *plan.Plan, live map[plan.Key]*unstructured.Unstructured) *work {
	w := &work{env: env, plan: p}
	owner := string(env.UID)
	if len(p.Passive) > 0 {
		w.steps = append(w.steps, step{name: "(all at once)", objects: outcomes(p.Passive, live, owner)})
	}
	waves := map[string]int{}
	for _, n := range p.Nodes {
		wave := waveOf(n, waves)
		waves[n.Name] = wave
		if n.Kind != plan.Join && len(n.Objects) > 0 {
			w.steps = append(w.steps, step{wave: wave, group: n.Group, name: n.Name, after: n.After, objects: outcomes(n.Objects, live, owner)})
		}
	}
	for key, object := range live {
		// Claims hold data: they go with the environment only.
		if p.Wants(key) || key.Kind == "PersistentVolumeClaim" || object.GetDeletionTimestamp() != nil || !owned(object, owner) {
			continue
		}
		w.removed = append(w.removed, key)
	}
	slices.SortFunc(w.removed, func(a, b plan.Key) int { return strings.Compare(a.String(), b.String()) })
	return w
}

// waveOf is how many nodes at least must be ready one after the other before this one
// has its turn, itself included. A join takes no turn.
func waveOf(n plan.Node, waves map[string]int) int {
	wave := 0
	for _, before := range n.After {
		wave = max(wave, waves[before])
	}
	if n.Kind != plan.Join {
		wave++
	}
	return wave
}

func outcomes(objects []plan.Object, live map[plan.Key]*unstructured.Unstructured, owner string) []outcome {
	var out []outcome
	for _, o := range objects {
		there := live[o.Key]
		next := outcome{key: o.Key, change: changeOf(o, there, owner)}
		if next.change == changed {
			own, _ := target.OwnFields(there)
			next.fields = diff.Write(o.Desired, there, own)
		}
		out = append(out, next)
	}
	return out
}

func changeOf(wanted plan.Object, there *unstructured.Unstructured, owner string) string {
	switch {
	case there == nil || there.GetDeletionTimestamp() != nil:
		return created
	case !owned(there, owner):
		return foreign
	case there.GetAnnotations()[v1alpha1.AnnotationHash] != wanted.Hash:
		return changed
	}
	return unchanged
}

func owned(object *unstructured.Unstructured, owner string) bool {
	return object.GetAnnotations()[v1alpha1.AnnotationEnvironmentUID] == owner
}
