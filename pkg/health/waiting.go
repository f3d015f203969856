package health

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// stage is how far a pod has come; the pod that is furthest behind speaks.
type stage int

const (
	stagePlace stage = iota
	stageVolume
	stageStart
	stageRun
	stageReady
)

// Waiting says in a sentence why the pods of one service are not ready yet; empty when
// all of them are. It does not say whether that is a failure: [Pods] does.
func Waiting(pods []*corev1.Pod) string {
	counting := current(pods)
	if len(counting) == 0 {
		return "no pod has been created yet"
	}
	last, sentence := stageReady, ""
	for _, pod := range counting {
		if at, why := standing(pod); at < last {
			last, sentence = at, why
		}
	}
	return sentence
}

// standing is how far one pod has come and what it waits for.
func standing(pod *corev1.Pod) (stage, string) {
	if pod.Spec.NodeName == "" && !podHas(pod, corev1.PodScheduled) {
		return stagePlace, placeSentence(pod)
	}
	for _, c := range containersOf(pod) {
		if !c.settled() {
			return c.standing()
		}
	}
	if podHas(pod, corev1.PodReady) {
		return stageReady, ""
	}
	for _, gate := range pod.Spec.ReadinessGates {
		if !podHas(pod, gate.ConditionType) {
			return stageRun, fmt.Sprintf("pod %s waits for its condition %s", pod.Name, gate.ConditionType)
		}
	}
	return stageRun, "the containers run; the pod is about to be ready"
}

func placeSentence(pod *corev1.Pod) string {
	refused, found := unscheduled(pod)
	switch {
	case found && aboutVolume(refused.Message):
		return "waiting for a volume"
	case found:
		return "waiting for a node: " + schedulerAnswer(pod, refused.Message)
	case len(pod.Spec.SchedulingGates) > 0:
		return "held back by the scheduling gate " + pod.Spec.SchedulingGates[0].Name
	default:
		return "waiting for a node"
	}
}

// standing is how far a container has come that is not settled.
func (c container) standing() (stage, string) {
	name := "container " + c.spec.Name
	if c.init {
		name = "init " + name
	}
	state, death := c.status.State, c.lastDeath()
	switch {
	case state.Running != nil && c.init && !c.sidecar():
		return stageStart, name + " is running"
	case state.Running != nil:
		return stageRun, name + c.probeSentence()
	case c.waitingReason() == "ErrImagePull", c.waitingReason() == "ImagePullBackOff":
		return stageStart, "the image " + c.spec.Image + " could not be pulled yet"
	case death != nil:
		return stageStart, fmt.Sprintf("%s ended with exit code %d and is started again", name, death.ExitCode)
	case c.waitingReason() == "" || c.waitingReason() == "PodInitializing":
		return stageStart, name + " is about to start"
	default:
		return c.creating(name)
	}
}

// creating tells volumes and network, which come first, from the image.
func (c container) creating(name string) (stage, string) {
	prepared := findCondition(c.pod, corev1.PodReadyToStartContainers)
	switch {
	case prepared == nil:
		return stageVolume, name + " is being created"
	case prepared.Status == corev1.ConditionTrue:
		return stageStart, "pulling image " + c.spec.Image
	case hasClaim(c.pod):
		return stageVolume, "waiting for a volume"
	default:
		return stageVolume, "preparing the network and the files of pod " + c.pod.Name
	}
}

// sidecar says that an init container keeps running beside the others.
func (c container) sidecar() bool {
	return c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func (c container) probeSentence() string {
	switch {
	case c.spec.StartupProbe != nil && (c.status.Started == nil || !*c.status.Started):
		return " runs but its startup probe has not succeeded"
	case c.spec.ReadinessProbe != nil:
		return " runs but its readiness probe has not succeeded"
	default:
		return " has just started"
	}
}

// Unprobed is what there is to say of a container that runs without its probe
// succeeding, and whose log tells more. It is nil when there is none. It does not say
// whether that is a failure: probes fail while a program starts.
func Unprobed(pods []*corev1.Pod) (*v1alpha1.Cause, *Evidence) {
	for _, pod := range current(pods) {
		for _, c := range containersOf(pod) {
			probed := c.spec.ReadinessProbe != nil || c.spec.StartupProbe != nil
			if c.settled() || c.status.State.Running == nil || !probed {
				continue
			}
			return c.cause(v1alpha1.CauseProbe, c.title()+c.probeSentence(),
				"read its log, and check that it listens on the port and path that the probe asks"), c.log().present()
		}
	}
	return nil, nil
}

// present asks for the log of the instance that runs.
func (e *Evidence) present() *Evidence {
	e.Previous = false
	return e
}

func findCondition(pod *corev1.Pod, name corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == name {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func podHas(pod *corev1.Pod, name corev1.PodConditionType) bool {
	c := findCondition(pod, name)
	return c != nil && c.Status == corev1.ConditionTrue
}

func hasClaim(pod *corev1.Pod) bool {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].PersistentVolumeClaim != nil {
			return true
		}
	}
	return false
}
