//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// gate is a condition of a pod that only a test sets.
const gate corev1.PodConditionType = "e2e.spock.dev/released"

// held is a template of a service that is ready when the test releases it, so that a
// rollout waits for the test instead of the test hurrying after the rollout.
func held() *v1alpha1.ServiceTemplate {
	return &v1alpha1.ServiceTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: "held"},
		Spec: v1alpha1.ServiceTemplateSpec{Container: &v1alpha1.Container{Manifests: []string{strings.ReplaceAll(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: "${service.name}"}
spec:
  selector: {matchLabels: {app: "${service.name}"}}
  template:
    metadata: {labels: {app: "${service.name}"}}
    spec:
      readinessGates: [{conditionType: GATE}]
      securityContext: {runAsNonRoot: true, runAsUser: 65532}
      containers:
        - name: "${service.name}"
          image: "${service.image}"
          command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait $!"]
          resources: {requests: {cpu: 5m}}
`, "GATE", string(gate))}}},
	}
}

// release lets the pods of a held service be ready.
func (l *lab) release(environment, service string) {
	l.Helper()
	api := l.kube.CoreV1().Pods(l.home(environment))
	l.eventually(soon, func(ctx context.Context) string {
		pods, err := api.List(ctx, metav1.ListOptions{LabelSelector: "app=" + service})
		if err != nil {
			return err.Error()
		}
		if len(pods.Items) == 0 {
			return "there is no pod of " + service
		}
		for i := range pods.Items {
			if err := open(ctx, api.UpdateStatus, &pods.Items[i]); err != nil {
				return err.Error()
			}
		}
		return ""
	})
}

type updateStatus func(context.Context, *corev1.Pod, metav1.UpdateOptions) (*corev1.Pod, error)

// open sets the gate of a pod. The kubelet writes the same status: one of both is repeated.
func open(ctx context.Context, update updateStatus, pod *corev1.Pod) error {
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: gate, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(), ObservedGeneration: pod.Generation,
	})
	_, err := update(ctx, pod, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return fmt.Errorf("the kubelet was first: %w", err)
	}
	return err
}
