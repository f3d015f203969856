//go:build e2e

package e2e

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// report prints what is needed to understand a failure, before it is taken away.
func (l *lab) report() {
	if !l.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	all, err := l.spock.SpockV1alpha1().Environments(l.name).List(ctx, metav1.ListOptions{})
	if err != nil {
		l.Logf("list environments: %v", err)
		return
	}
	for i := range all.Items {
		env := &all.Items[i]
		env.ManagedFields = nil
		l.show("environment "+env.Name, env)
		l.reportPods(ctx, l.home(env.Name))
		l.reportEvents(ctx, l.home(env.Name))
	}
	l.reportEvents(ctx, l.name)
	l.reportController(ctx)
}

func (l *lab) show(title string, object any) {
	text, err := yaml.Marshal(object)
	if err != nil {
		text = []byte(err.Error())
	}
	l.Logf("--- %s\n%s", title, text)
}

func (l *lab) reportPods(ctx context.Context, namespace string) {
	list, err := l.kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		l.Logf("list pods of %s: %v", namespace, err)
		return
	}
	for _, pod := range list.Items {
		l.show("pod "+namespace+"/"+pod.Name, pod.Status)
	}
}

func (l *lab) reportEvents(ctx context.Context, namespace string) {
	list, err := l.kube.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		l.Logf("list events of %s: %v", namespace, err)
		return
	}
	for _, e := range list.Items {
		l.Logf("event %s %s/%s %s: %s", e.LastTimestamp.Format(time.TimeOnly), e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
}

func (l *lab) reportController(ctx context.Context) {
	list, err := l.kube.CoreV1().Pods(system).List(ctx, metav1.ListOptions{LabelSelector: controllerPods})
	if err != nil {
		l.Logf("list the controller's pods: %v", err)
		return
	}
	for _, pod := range list.Items {
		log, err := l.kube.CoreV1().Pods(system).GetLogs(pod.Name, &corev1.PodLogOptions{TailLines: ptr.To[int64](40)}).DoRaw(ctx)
		l.Logf("--- the last lines of %s (%s), %v\n%s", pod.Name, pod.Status.Phase, err, log)
	}
}
