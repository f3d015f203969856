package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/bench/work"
)

// report writes the status of a pod, as one that has its fault.
func (k *Kubelet) report(ctx context.Context, p *corev1.Pod, fault work.Fault) error {
	if fault == work.ProbeFails {
		if err := k.tell(ctx, p, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"); err != nil {
			return err
		}
	}
	status := map[string]any{
		"phase": phase(fault), "startTime": metav1.Now(), "hostIP": "127.0.0.1", "podIP": "10.1.0.1", "podIPs": []any{map[string]any{"ip": "10.1.0.1"}},
		"conditions":        conditions(fault == ""),
		"containerStatuses": []any{container(p, fault)},
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encode the status of pod %s: %w", p.Name, err)
	}
	_, err = k.client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	return err
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

// container is the state of the pod's container.
func container(p *corev1.Pod, f work.Fault) corev1.ContainerStatus {
	c := corev1.ContainerStatus{Name: p.Spec.Containers[0].Name, Image: p.Spec.Containers[0].Image, ImageID: "bench", ContainerID: "bench://" + string(p.UID)}
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
