package engine

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// pods are those that speak for a node: of a hook the pods of its job, of a service all
// others. An old version in a crash loop must not fail the deploy that mends it: pods of
// another revision do not speak, and where no mark tells the revision, pods from before
// the run do not speak of what the run wrote.
func (k *walk) pods(n plan.Node) []*corev1.Pod {
	var since time.Time
	if k.wroteAny(n) {
		since = k.world.Since.Truncate(time.Second) // as coarse as a pod's creation
	}
	var own []*corev1.Pod
	for _, pod := range k.world.State.Pods[n.Service] {
		if speaksFor(n, pod) && isCurrent(n, pod, since) {
			own = append(own, pod)
		}
	}
	return own
}

// isCurrent says whether a pod is of the wanted revision, by its mark, else by its age.
func isCurrent(n plan.Node, pod *corev1.Pod, since time.Time) bool {
	mark, marked := pod.Annotations[v1alpha1.AnnotationPodHash], false
	for _, o := range n.Objects {
		if o.PodHash != "" && o.PodHash == mark {
			return true
		}
		marked = marked || o.PodHash != ""
	}
	if marked && mark != "" {
		return false
	}
	return !pod.CreationTimestamp.Time.Before(since)
}

func speaksFor(n plan.Node, pod *corev1.Pod) bool {
	if n.Kind != plan.Hook {
		return pod.Labels[v1alpha1.LabelRole] != v1alpha1.RoleHook
	}
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == n.Objects[0].Kind && owner.Name == n.Objects[0].Name
}

// wroteAny says whether this run wrote an object of a node.
func (k *walk) wroteAny(n plan.Node) bool {
	for _, o := range n.Objects {
		live := k.world.State.Objects[o.Key]
		if live != nil && target.Annotation(live, v1alpha1.AnnotationRun) == k.world.Scope.Run {
			return true
		}
	}
	return false
}

// lookAtPods looks for a failure among the pods of a node whose objects show none, and
// else for what they wait for.
func (k *walk) lookAtPods(v *view, n plan.Node) {
	pods := k.pods(n)
	cause, evidence := health.Pods(k.now, pods)
	if cause != nil {
		v.cause = cause
		k.show(n, evidence)
		return
	}
	if later := health.Later(k.now, pods); later > 0 {
		k.wake(k.now.Add(later))
	}
	if len(pods) == 0 || v.going {
		return // the object itself tells more
	}
	if waiting := health.Waiting(pods); waiting != "" {
		v.message = waiting
	}
	if probe, _ := k.unprobed(n); probe != nil && probe.Answer != "" {
		v.trouble = probe
	}
}

// unprobed is the container of a node that runs without its probe succeeding, with what
// the probe got, if that was told.
func (k *walk) unprobed(n plan.Node) (*v1alpha1.Cause, *health.Evidence) {
	cause, evidence := health.Unprobed(k.pods(n))
	if cause != nil {
		cause.Answer = k.world.State.Answers[target.Container{Pod: evidence.Pod, Name: evidence.Container}]
	}
	return cause, evidence
}

// lookIntoPods replaces the cause that an object gives by the one of its pods, which
// tells more.
func (k *walk) lookIntoPods(v *view, n plan.Node, isJob bool) {
	cause, evidence := health.Pods(k.now, k.pods(n))
	if isJob {
		cause, evidence = health.JobPods(k.pods(n))
	}
	if cause != nil {
		v.cause = cause
	}
	k.show(n, evidence)
}

// show says whose log shows the cause of a service.
func (k *walk) show(n plan.Node, evidence *health.Evidence) {
	if evidence != nil {
		k.out.Evidence[n.Service] = *evidence
	}
}
