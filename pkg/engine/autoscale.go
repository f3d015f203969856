package engine

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// replicasPath is the field that an autoscaler sets.
const replicasPath = "spec.replicas"

// autoscaling is the manager as which the cluster's own autoscaler scales.
const autoscaling = "kube-controller-manager"

// scaleTarget is what an autoscaler names.
type scaleTarget struct{ kind, name string }

// findScaled finds what autoscalers of the environment scale.
func (k *walk) findScaled() {
	note := func(o *unstructured.Unstructured) {
		if o.GetKind() != "HorizontalPodAutoscaler" {
			return
		}
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "kind")
		name, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "name")
		k.scaled[scaleTarget{kind, name}] = true
	}
	for _, o := range k.plan.Passive {
		note(o.Desired)
	}
	for _, n := range k.plan.Nodes {
		for _, o := range n.Objects {
			note(o.Desired)
		}
	}
	for _, live := range k.world.State.Objects {
		note(live)
	}
}

// isScaled says whether the replicas of an object are an autoscaler's: one of the
// environment, or one that has scaled it last.
func (k *walk) isScaled(o plan.Object, live *unstructured.Unstructured) bool {
	return k.scaled[scaleTarget{o.Kind, o.Name}] || target.ScaledBy(live) == autoscaling
}

// keepScale returns objects with the replicas that they have, where these are an
// autoscaler's: a write for another reason does not scale.
func (k *walk) keepScale(objects []plan.Object) []plan.Object {
	for i, o := range objects {
		live := k.world.State.Objects[o.Key]
		if live == nil || !target.Owned(k.world.Scope, live) || !k.isScaled(o, live) {
			continue
		}
		_, wanted, _ := unstructured.NestedInt64(o.Desired.Object, "spec", "replicas")
		has, found, err := unstructured.NestedInt64(live.Object, "spec", "replicas")
		if !wanted || !found || err != nil {
			continue
		}
		o.Desired = o.Desired.DeepCopy()
		if unstructured.SetNestedField(o.Desired.Object, has, "spec", "replicas") == nil {
			objects = slices.Clone(objects)
			objects[i] = o
		}
	}
	return objects
}
