package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// shortOf is the first resource of which the scheduler found too little free; empty when
// something else is in the way.
func shortOf(message string) corev1.ResourceName {
	_, rest, found := strings.Cut(message, "Insufficient ")
	if !found {
		return ""
	}
	end := strings.IndexAny(rest, ", ")
	if end < 0 {
		end = len(rest)
	}
	return corev1.ResourceName(strings.TrimSuffix(rest[:end], "."))
}

// Candidates are the nodes that would take a pod if they had room: open, matching its
// node selector, with no taint that it does not tolerate; those with most of a resource
// first. Affinity is not looked at.
func Candidates(pod *corev1.Pod, short corev1.ResourceName, nodes []corev1.Node) []corev1.Node {
	open := slices.DeleteFunc(slices.Clone(nodes), func(n corev1.Node) bool {
		return n.Spec.Unschedulable || !selected(pod, &n) || !tolerated(pod, &n)
	})
	slices.SortStableFunc(open, func(a, b corev1.Node) int {
		most := offers(&b, short)
		if by := most.Cmp(offers(&a, short)); by != 0 {
			return by
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return open
}

func selected(pod *corev1.Pod, n *corev1.Node) bool {
	for key, value := range pod.Spec.NodeSelector {
		if n.Labels[key] != value {
			return false
		}
	}
	return true
}

func tolerated(pod *corev1.Pod, n *corev1.Node) bool {
	for i := range n.Spec.Taints {
		taint := &n.Spec.Taints[i]
		hard := taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
		if hard && !slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool {
			return t.ToleratesTaint(logr.Discard(), taint, true)
		}) {
			return false
		}
	}
	return true
}

func offers(n *corev1.Node, short corev1.ResourceName) resource.Quantity {
	return n.Status.Allocatable[short]
}

// Room says in a clause how much of a resource fits on the candidates: what the largest
// of them offers, when a pod asks for more than that, else on which of them most is free.
// on are the pods of each node, by its name.
func Room(pod *corev1.Pod, short corev1.ResourceName, candidates []corev1.Node, on map[string][]corev1.Pod) string {
	if len(candidates) == 0 {
		return "no node would take it if it had room"
	}
	largest := offers(&candidates[0], short)
	if wanted := requested(pod, short); wanted.Cmp(largest) > 0 {
		return fmt.Sprintf("the largest node, %s, offers %s of %s in all", candidates[0].Name, largest.String(), short)
	}
	var most resource.Quantity
	var where string
	for i := range candidates {
		if free := freeOn(&candidates[i], short, on[candidates[i].Name]); where == "" || free.Cmp(most) > 0 {
			most, where = free, candidates[i].Name
		}
	}
	if most.Sign() < 0 {
		most = resource.Quantity{}
	}
	return fmt.Sprintf("most of it is free on node %s: %s of %s", where, most.String(), short)
}

// freeOn is what the pods of a node leave of a resource.
func freeOn(n *corev1.Node, short corev1.ResourceName, pods []corev1.Pod) resource.Quantity {
	free := offers(n, short).DeepCopy()
	for i := range pods {
		if phase := pods[i].Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
			continue
		}
		free.Sub(requested(&pods[i], short))
	}
	return free
}

// requested is how much of a resource a pod takes on a node: that of its containers and
// sidecars together, or that of an init container if that is more, and its overhead.
// Source: "Pod resource requests" in the documentation of Kubernetes.
func requested(pod *corev1.Pod, name corev1.ResourceName) resource.Quantity {
	var total, sidecars, initial resource.Quantity
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		want := c.Resources.Requests[name].DeepCopy()
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sidecars.Add(want)
			want = sidecars.DeepCopy()
		} else {
			want.Add(sidecars)
		}
		if want.Cmp(initial) > 0 {
			initial = want
		}
	}
	total = sidecars
	for i := range pod.Spec.Containers {
		total.Add(pod.Spec.Containers[i].Resources.Requests[name])
	}
	if initial.Cmp(total) > 0 {
		total = initial
	}
	total.Add(pod.Spec.Overhead[name])
	return total
}
