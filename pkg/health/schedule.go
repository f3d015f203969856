package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// placement is the failure of a pod that no node takes. Pods whose volume is not bound
// yet get longer, since storage may be making it.
func placement(now time.Time, pod *corev1.Pod) (finding, bool) {
	refused, found := unscheduled(pod)
	if !found {
		return finding{}, false
	}
	patience, hint := unschedulablePatience, placeHint(refused.Message)
	if aboutVolume(refused.Message) {
		patience, hint = volumePatience, "check that the cluster has a storage class that can make the volume"
	}
	var evidence *Evidence
	if short := shortOf(refused.Message); short != "" {
		evidence = &Evidence{Pod: pod.Name, Short: short}
	}
	return finding{
		rank: rankPlace, evidence: evidence,
		patience: remaining(now, refused.LastTransitionTime.Time, patience),
		cause: &v1alpha1.Cause{Class: v1alpha1.CauseUnschedulable, Object: "Pod/" + pod.Name, Hint: hint,
			Message: fmt.Sprintf("no node takes pod %s: %s", pod.Name, schedulerAnswer(pod, refused.Message))},
	}, true
}

// unscheduled finds the scheduler's refusal. A pod behind a scheduling gate was not refused.
func unscheduled(pod *corev1.Pod) (corev1.PodCondition, bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c, true
		}
	}
	return corev1.PodCondition{}, false
}

func aboutVolume(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "persistentvolumeclaim") || strings.Contains(message, "persistent volume")
}

func placeHint(message string) string {
	switch {
	case strings.Contains(message, "Insufficient"), strings.Contains(message, "Too many pods"):
		return "ask for less, stop an environment that nobody uses, or add a node"
	case strings.Contains(message, "affinity"), strings.Contains(message, "selector"):
		return "correct the node selector of the template, or label a node so that it matches"
	case strings.Contains(message, "taint"):
		return "use nodes without the taint, or let the pod tolerate it"
	default:
		return "see which of the conditions the pod or a node can meet"
	}
}

var (
	schedulerHead = regexp.MustCompile(`^(?:\d+/)?(\d+) nodes are available: (.*)$`)
	schedulerPart = regexp.MustCompile(`^(\d+) (?:node\(s\) )?(.*)$`)
	taint         = regexp.MustCompile(`^had untolerated taint(?:\(s\))? ?\{([^:}]*):? ?([^}]*)\}`)
)

// schedulerAnswer rewrites "0/3 nodes are available: ..." as a clause about the pod.
// What does not have that form is passed on as it is.
func schedulerAnswer(pod *corev1.Pod, message string) string {
	message, _, _ = strings.Cut(message, " preemption: ")
	message, _, _ = strings.Cut(message, " no new claims to deallocate")
	message = oneLine(message, 1000)
	head := schedulerHead.FindStringSubmatch(message)
	if head == nil {
		return oneLine(message, 200)
	}
	var parts []string
	counted := false
	for _, part := range strings.Split(head[2], ", ") {
		counted = counted || schedulerPart.MatchString(part)
		parts = append(parts, nodeClause(pod, part))
	}
	if !counted {
		return oneLine(list(parts), 300)
	}
	return oneLine(fmt.Sprintf("of %s, %s", nodes(head[1]), list(parts)), 300)
}

func nodes(n string) string {
	if n == "1" {
		return "1 node"
	}
	return n + " nodes"
}

// nodeClause rewrites what rules out a number of nodes.
func nodeClause(pod *corev1.Pod, part string) string {
	if strings.Contains(part, "unbound immediate PersistentVolumeClaims") {
		return "its volume claim has no volume"
	}
	match := schedulerPart.FindStringSubmatch(part)
	if match == nil {
		return part
	}
	n, why := match[1], match[2]
	many := func(one, more string) string {
		if n == "1" {
			return n + " " + one
		}
		return n + " " + more
	}
	if key := taint.FindStringSubmatch(why); key != nil {
		return many("refuses", "refuse") + " it by the taint " + strings.Trim(key[1]+"="+key[2], "=")
	}
	switch name, short := strings.CutPrefix(why, "Insufficient "); {
	case short:
		return many("has", "have") + " too little free " + name + asksFor(pod, corev1.ResourceName(name))
	case strings.Contains(why, "node affinity/selector"), strings.Contains(why, "node selector"):
		return many("does", "do") + " not match its node selector" + selectorOf(pod)
	case why == "were unschedulable":
		return many("is", "are") + " closed to new pods"
	case why == "Too many pods":
		return many("has", "have") + " as many pods as allowed"
	case strings.Contains(why, "free ports"):
		return many("has", "have") + " its host port in use"
	}
	return n + " " + why
}

// asksFor says how much of a resource the pod requests.
func asksFor(pod *corev1.Pod, name corev1.ResourceName) string {
	total := requested(pod, name)
	if total.IsZero() {
		return ""
	}
	return " (it asks for " + total.String() + ")"
}

func selectorOf(pod *corev1.Pod) string {
	var labels []string
	for key, value := range pod.Spec.NodeSelector {
		labels = append(labels, key+"="+value)
	}
	if len(labels) == 0 {
		return " or affinity"
	}
	slices.Sort(labels)
	return " " + strings.Join(labels, ",")
}
