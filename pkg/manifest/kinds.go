package manifest

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// passive are the kinds that only lie there: they run nothing, so they can be written
// before any service's turn.
var passive = map[schema.GroupKind]bool{
	{Kind: "ConfigMap"}:                                     true,
	{Kind: "PersistentVolumeClaim"}:                         true,
	{Kind: "Service"}:                                       true,
	{Kind: "ServiceAccount"}:                                true,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: true,
	{Group: "networking.k8s.io", Kind: "Ingress"}:           true,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:     true,
	{Group: "policy", Kind: "PodDisruptionBudget"}:          true,
}

// Passive says whether the object runs nothing itself.
func Passive(object *unstructured.Unstructured) bool {
	return passive[object.GroupVersionKind().GroupKind()]
}

// podTemplates are the places of pod templates in the kinds that have them.
var podTemplates = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "DaemonSet"}:   {"spec", "template"},
	{Group: "apps", Kind: "Deployment"}:  {"spec", "template"},
	{Group: "apps", Kind: "ReplicaSet"}:  {"spec", "template"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec", "template"},
	{Group: "batch", Kind: "Job"}:        {"spec", "template"},
	{Group: "batch", Kind: "CronJob"}:    {"spec", "jobTemplate", "spec", "template"},
	{Kind: "ReplicationController"}:      {"spec", "template"},
}

// Label adds labels to the object, and pod labels to its pod template when it has one or
// is a pod. The keys in keep are left alone where the object has them: its selectors may
// depend on them.
func Label(object *unstructured.Unstructured, labels, pod map[string]string, keep func(key string) bool) error {
	group := object.GroupVersionKind().GroupKind()
	if group == (schema.GroupKind{Kind: "Pod"}) {
		labels = pod
	}
	if err := label(object, labels, keep, "metadata", "labels"); err != nil {
		return err
	}
	place, ok := podTemplates[group]
	if !ok {
		return nil
	}
	return label(object, pod, keep, append(append([]string(nil), place...), "metadata", "labels")...)
}

func label(object *unstructured.Unstructured, labels map[string]string, keep func(string) bool, place ...string) error {
	where := object.GetKind() + "/" + object.GetName()
	have, _, err := unstructured.NestedStringMap(object.Object, place...)
	if err != nil {
		return &Error{Where: where, Problem: "its labels are not text: " + oneLine(err.Error()), Remedy: "write numbers and booleans in quotes"}
	}
	want := maps.Clone(labels)
	for key, value := range have {
		if _, ours := labels[key]; !ours || keep(key) {
			want[key] = value
		}
	}
	if err := unstructured.SetNestedStringMap(object.Object, want, place...); err != nil {
		return &Error{Where: where, Problem: oneLine(err.Error()), Remedy: "correct the manifest"}
	}
	return nil
}

// Containers are the containers of the object's pods, and those that run before them. What
// is changed in one is changed in the object.
func Containers(object *unstructured.Unstructured) []map[string]any {
	group := object.GroupVersionKind().GroupKind()
	place := podTemplates[group]
	if place == nil && group != (schema.GroupKind{Kind: "Pod"}) {
		return nil
	}
	var out []map[string]any
	for _, list := range []string{"initContainers", "containers"} {
		held, _, _ := unstructured.NestedFieldNoCopy(object.Object, append(append([]string(nil), place...), "spec", list)...)
		all, _ := held.([]any)
		for _, one := range all {
			if container, ok := one.(map[string]any); ok {
				out = append(out, container)
			}
		}
	}
	return out
}
