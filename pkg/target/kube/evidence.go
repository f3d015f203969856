package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

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
