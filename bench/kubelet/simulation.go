package kubelet

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/bench/work"
)

// Simulation says how pods fare whose images tell no behaviour. They become ready after a
// seeded delay; the pod of a Job ends well after it. A pod fails where that follows from
// what it says itself: it names an image that no registry has, or a readiness probe that
// cannot succeed.
type Simulation struct {
	Delays work.Delays
	// Has says whether a registry has an image.
	Has func(image string) bool
}

// fault is how a pod fails; empty when it does not.
func (s *Simulation) fault(p *corev1.Pod) work.Fault {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if !s.Has(c.Image) {
			return work.NoImage
		}
	}
	for _, c := range p.Spec.Containers {
		if probe := c.ReadinessProbe; probe != nil && probe.Exec != nil && slices.Equal(probe.Exec.Command, []string{"false"}) {
			return work.ProbeFails
		}
	}
	return ""
}

// endsByItself says whether a pod is one that is to end, as a Job's is.
func endsByItself(p *corev1.Pod) bool { return p.Spec.RestartPolicy != corev1.RestartPolicyAlways }

// nameOf is what a pod's delay goes by: what it is, not which of many it is.
func nameOf(p *corev1.Pod) string {
	name := p.Namespace + "/" + p.GenerateName
	if p.GenerateName == "" {
		name = p.Namespace + "/" + p.Name
	}
	return name + " " + p.Spec.Containers[0].Image
}

// complete ends a pod well.
func (k *Kubelet) complete(ctx context.Context, p *corev1.Pod) error {
	if f := k.rest.fault(p); f == work.NoImage {
		return k.report(ctx, p, f)
	}
	return k.write(ctx, p, corev1.PodSucceeded, conditions(false), map[string]any{
		"initContainerStatuses": ended(p, p.Spec.InitContainers, nil),
		"containerStatuses":     ended(p, p.Spec.Containers, nil),
	})
}

// ended are the states of containers that ended well; message is what each leaves behind.
func ended(p *corev1.Pod, all []corev1.Container, message func(corev1.Container) string) []any {
	var states []any
	for _, c := range all {
		s := container(p, c, "")
		s.Ready, s.Started, s.State = false, new(bool), corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: *p.Status.StartTime, FinishedAt: metav1.Now(), ContainerID: s.ContainerID,
		}}
		if message != nil {
			s.State.Terminated.Message = message(c)
		}
		states = append(states, s)
	}
	return states
}
