package health

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// JobPods explains a job that failed by the newest of its pods that ended with an
// error: which container, with what exit code, and whose log shows it. Both are nil
// when no such pod is left.
func JobPods(pods []*corev1.Pod) (*v1alpha1.Cause, *Evidence) {
	var dead container
	var found bool
	for _, pod := range pods {
		c, ended := deadContainer(pod)
		if !ended || found && !newer(pod, dead.pod) {
			continue
		}
		dead, found = c, true
	}
	if !found {
		return nil, nil
	}
	end := dead.status.State.Terminated
	message := fmt.Sprintf("%s ended with exit code %d", dead.title(), end.ExitCode)
	if end.Reason == "OOMKilled" {
		message = dead.title() + " was killed because it used more memory than it may"
	}
	cause := dead.cause(v1alpha1.CauseJobFailed, message, "read its last log lines, correct the cause and deploy again")
	cause.ExitCode = &end.ExitCode
	return cause, dead.log()
}

// deadContainer is the first container of a pod that ended with an error.
func deadContainer(pod *corev1.Pod) (container, bool) {
	for _, c := range containersOf(pod) {
		if end := c.status.State.Terminated; end != nil && end.ExitCode != 0 {
			return c, true
		}
	}
	return container{}, false
}

// newer orders pods by creation, and by name within a second.
func newer(a, b *corev1.Pod) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.After(b.CreationTimestamp.Time)
	}
	return a.Name > b.Name
}
