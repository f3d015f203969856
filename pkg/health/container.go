package health

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// container is one container of a pod with what the kubelet says about it.
type container struct {
	pod    *corev1.Pod
	spec   corev1.Container
	status corev1.ContainerStatus
	init   bool
}

// containersOf lists a pod's containers in the order in which they start. One the
// kubelet has not reported yet has an empty status.
func containersOf(pod *corev1.Pod) []container {
	list := make([]container, 0, len(pod.Spec.InitContainers)+len(pod.Spec.Containers))
	add := func(specs []corev1.Container, statuses []corev1.ContainerStatus, init bool) {
		for _, spec := range specs {
			c := container{pod: pod, spec: spec, init: init}
			if i := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == spec.Name }); i >= 0 {
				c.status = statuses[i]
			}
			list = append(list, c)
		}
	}
	add(pod.Spec.InitContainers, pod.Status.InitContainerStatuses, true)
	add(pod.Spec.Containers, pod.Status.ContainerStatuses, false)
	return list
}

// finding is the container's failure, if it has one. A container that serves, or an
// init container that is done, has none, whatever it went through before.
func (c container) finding(now time.Time) (finding, bool) {
	if c.settled() {
		return finding{}, false
	}
	switch c.waitingReason() {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return c.imageFinding(now), true
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return c.configFinding(c.status.State.Waiting.Message), true
	}
	return c.deathFinding(now)
}

// settled says that the container is where it should be.
func (c container) settled() bool {
	ended := c.status.State.Terminated
	if c.init && ended != nil && ended.ExitCode == 0 {
		return true
	}
	return c.status.Ready && c.status.State.Running != nil
}

func (c container) waitingReason() string {
	if c.status.State.Waiting == nil {
		return ""
	}
	return c.status.State.Waiting.Reason
}

// lastDeath is how the container ended last; nil when it never did.
func (c container) lastDeath() *corev1.ContainerStateTerminated {
	if c.status.State.Terminated != nil {
		return c.status.State.Terminated
	}
	return c.status.LastTerminationState.Terminated
}

// log says that the container's own log shows the failure.
func (c container) log() *Evidence {
	return &Evidence{Pod: c.pod.Name, Container: c.spec.Name, Previous: c.status.State.Terminated == nil}
}

// title names the container in a sentence.
func (c container) title() string {
	what := "container "
	if c.init {
		what = "init container "
	}
	return what + c.spec.Name + " of pod " + c.pod.Name
}

func (c container) configFinding(said string) finding {
	return finding{rank: rankConfig, cause: c.cause(v1alpha1.CauseConfig,
		fmt.Sprintf("%s cannot be started: %s", c.title(), runtimeAnswer(said)),
		"correct the command, the configuration or the Secret that the message names in the template, then deploy again")}
}

func (c container) cause(class v1alpha1.CauseClass, message, hint string) *v1alpha1.Cause {
	return &v1alpha1.Cause{Class: class, Message: message, Object: "Pod/" + c.pod.Name, Hint: hint}
}
