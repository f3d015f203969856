package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/bench/work"
)

// report writes the status of a pod, as one that has its fault.
func (k *Kubelet) report(ctx context.Context, p *corev1.Pod, fault work.Fault) error {
	if fault == work.ProbeFails {
		if err := k.tell(ctx, p, "Unhealthy", probeAnswer(p)); err != nil {
			return err
		}
	}
	return k.write(ctx, p, phase(fault), conditions(fault == ""), map[string]any{"containerStatuses": containers(p, func(c corev1.Container) corev1.ContainerStatus {
		return container(p, c, fault)
	})})
}

// write writes the status of a pod.
func (k *Kubelet) write(ctx context.Context, p *corev1.Pod, phase corev1.PodPhase, conditions []any, more map[string]any) error {
	status := map[string]any{
		"phase": phase, "startTime": p.Status.StartTime, "hostIP": "127.0.0.1", "conditions": conditions,
		"podIP": p.Status.PodIP, "podIPs": []any{map[string]any{"ip": p.Status.PodIP}},
	}
	maps.Copy(status, more)
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encode the status of pod %s: %w", p.Name, err)
	}
	_, err = k.client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// address is one for a pod, at which nothing listens. It is called with the lock held.
func (k *Kubelet) address() string {
	k.addresses = k.addresses%65000 + 1
	return fmt.Sprintf("10.1.%d.%d", k.addresses/254, k.addresses%254+1)
}

// probeAnswer is what a kubelet says of a readiness probe that fails.
func probeAnswer(p *corev1.Pod) string {
	if probe := p.Spec.Containers[0].ReadinessProbe; probe != nil && probe.Exec != nil {
		return "Readiness probe failed: "
	}
	return "Readiness probe failed: HTTP probe failed with statuscode: 503"
}

// containers are the states of all containers of a pod.
func containers(p *corev1.Pod, of func(corev1.Container) corev1.ContainerStatus) []any {
	var all []any
	for _, c := range p.Spec.Containers {
		all = append(all, of(c))
	}
	return all
}

// remove is the end of a pod that was deleted: its containers have stopped.
func (k *Kubelet) remove(ctx context.Context, p *corev1.Pod) error {
	now := int64(0)
	return k.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID}})
}

// tell writes an event of a pod.
func (k *Kubelet) tell(ctx context.Context, p *corev1.Pod, reason, message string) error {
	now := metav1.Now()
	_, err := k.client.CoreV1().Events(p.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: p.Name + ".", Namespace: p.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID, FieldPath: "spec.containers{" + p.Spec.Containers[0].Name + "}"},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: message, FirstTimestamp: now, LastTimestamp: now, Count: 1,
		Source: corev1.EventSource{Component: "kubelet"},
	}, metav1.CreateOptions{})
	return err
}

func phase(f work.Fault) corev1.PodPhase {
	if f == work.NoImage || f == work.BadConfig {
		return corev1.PodPending
	}
	return corev1.PodRunning
}

func conditions(ready bool) []any {
	of := func(kind corev1.PodConditionType, is bool) any {
		status := corev1.ConditionFalse
		if is {
			status = corev1.ConditionTrue
		}
		return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: metav1.Now()}
	}
	return []any{of(corev1.PodInitialized, true), of(corev1.ContainersReady, ready), of(corev1.PodReady, ready)}
}

// container is the state of a container of a pod.
func container(p *corev1.Pod, of corev1.Container, f work.Fault) corev1.ContainerStatus {
	c := corev1.ContainerStatus{Name: of.Name, Image: of.Image, ImageID: "simulated", ContainerID: "simulated://" + string(p.UID) + "/" + of.Name}
	ended := func(code int32, reason string) {
		at := metav1.NewTime(time.Now().Add(-time.Second))
		c.RestartCount = 3
		c.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container"}
		c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: at, FinishedAt: at, ContainerID: c.ContainerID}
	}
	switch f {
	case work.NoImage:
		c.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: fmt.Sprintf("Back-off pulling image %q: not found", c.Image)}
	case work.BadConfig:
		c.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: `secret "gone" not found`}
	case work.CrashLoop:
		ended(3, "Error")
	case work.OutOfMemory:
		ended(137, "OOMKilled")
	default:
		started := true
		c.Started, c.Ready = &started, f == ""
		c.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	}
	return c
}
