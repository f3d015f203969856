package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"spock.dev/spock/pkg/target"
)

// Log implements target.Target. It returns no more than logSize bytes.
func (t *Target) Log(ctx context.Context, scope target.Scope, pod, container string, previous bool, lines int64) (string, error) {
	client, err := t.clients.as(scope)
	if err != nil {
		return "", err
	}
	// The limit of the apiserver keeps the first bytes; the last ones tell more.
	limit := int64(1 << 20)
	raw, err := client.kube.CoreV1().Pods(scope.Namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &lines, LimitBytes: &limit,
	}).DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("read the log of pod %s as %s: %w", pod, User(scope), err)
	}
	return tail(string(raw), logSize), nil
}

// logSize is how much of a log is worth keeping in a status.
const logSize = 16 << 10

// tail is the end of a text, from the start of a line if there is one.
func tail(text string, size int) string {
	if len(text) <= size {
		return text
	}
	text = text[len(text)-size:]
	if _, lines, ok := strings.Cut(text, "\n"); ok && lines != "" {
		return lines
	}
	return strings.ToValidUTF8(text, "")
}

// unhealthy is the reason of the events by which a kubelet tells of failing probes.
const unhealthy = "Unhealthy"

// Answer implements target.Target.
func (t *Target) Answer(ctx context.Context, scope target.Scope, pod, container string) (string, error) {
	client, err := t.clients.as(scope)
	if err != nil {
		return "", err
	}
	about := fields.Set{"involvedObject.kind": "Pod", "involvedObject.name": pod, "reason": unhealthy}
	events, err := client.kube.CoreV1().Events(scope.Namespace).List(ctx, metav1.ListOptions{FieldSelector: about.String()})
	if err != nil {
		return "", fmt.Errorf("list the events of pod %s as %s: %w", pod, User(scope), err)
	}
	last := newest(events.Items, container)
	if last == nil {
		return "", nil
	}
	return strings.ToValidUTF8(cut(strings.TrimSpace(last.Message), answerSize), ""), nil
}

// answerSize is how much of an answer is worth a place in a sentence.
const answerSize = 300

func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return text[:size] + "..."
}

// newest is the event of the container that was told last.
func newest(events []corev1.Event, container string) *corev1.Event {
	var last *corev1.Event
	for i := range events {
		e := &events[i]
		if !strings.HasSuffix(e.InvolvedObject.FieldPath, "{"+container+"}") {
			continue
		}
		if last == nil || told(last).Before(told(e)) {
			last = e
		}
	}
	return last
}

// told is when an event was told last: the old events count, the new ones have a series.
func told(e *corev1.Event) *metav1.Time {
	switch {
	case e.Series != nil:
		return &metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.LastTimestamp.IsZero():
		return &e.LastTimestamp
	default:
		return &metav1.Time{Time: e.EventTime.Time}
	}
}
