//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const (
	// system is where Spock is installed.
	system         = "spock-system"
	controllerPods = "app.kubernetes.io/name=spock,app.kubernetes.io/component=controller"
)

// TestAKilledControllerResumes is not parallel: it takes the controller from under the
// feet of all other tests.
func TestAKilledControllerResumes(t *testing.T) {
	needsNode(t, "the controller is no pod that could be killed")
	l := newLab(t)
	log := l.watchRequests()
	l.create(held(), l.shop(l.service("db", "held"), l.service("orders", "held"), l.service("web", "held")))
	l.dismiss(l.controller(), nil) // what is killed below is what this test started
	victim := l.controller()

	name := l.deploy("shop", "shop")
	l.release("shop", "db")
	l.isAt("shop", "orders", v1alpha1.ServiceProgressing)
	l.kill(victim, "custom-task-controller")
	l.dismiss(victim, ptr.To[int64](0))
	killed := time.Now()
	if _, err := l.kube.AppsV1().Deployments(l.home("shop")).Get(l.ctx, "web", metav1.GetOptions{}); err == nil {
		t.Fatal("the last tier was written before the controller died: nothing is shown")
	}
	l.release("shop", "orders")
	l.release("shop", "web")

	l.reaches("shop", v1alpha1.PhaseReady, 1)
	t.Logf("ready %s after the kill", time.Since(killed).Round(time.Second))
	if end := l.ended(name); !end.IsTrue() {
		t.Errorf("the CustomRun ended %s: %s", end.Reason, end.Message)
	}
	l.broughtUpOnce(log, "db", "orders", "web")
	l.restartChangesNothing(log)
}

// broughtUpOnce says that one run, whoever drove it, has written each deployment once.
func (l *lab) broughtUpOnce(log *audit, deployments ...string) {
	l.Helper()
	runs := l.runs("shop")
	if run := runs[1]; len(runs) != 1 || run.Status.Phase != v1alpha1.PhaseReady {
		l.Errorf("the EnvironmentRuns are %+v, want the one that was on its way, brought to its end", runs)
	}
	all := in(l.home("shop"), writes(log.read()))
	times := map[string]int{}
	for _, name := range of("patch", "deployments", all) {
		times[name]++
	}
	for _, name := range deployments {
		if times[name] != 1 {
			l.Errorf("deployment %s was written %d times in one rollout:\n%s", name, times[name], listing(all))
		}
	}
}

// restartChangesNothing asks a controller that remembers nothing for what is there.
func (l *lab) restartChangesNothing(log *audit) {
	l.Helper()
	l.dismiss(l.controller(), nil)
	log.read()
	if end := l.ended(l.deploy("shop", "shop")); !end.IsTrue() {
		l.Errorf("the repeated deploy ended %s: %s", end.Reason, end.Message)
	}
	if all := in(l.home("shop"), writes(log.read())); len(all) > 0 {
		l.Errorf("after a restart a repeated deploy writes into the environment:\n%s", listing(all))
	}
}

// controller is the controller's pod, ready.
func (l *lab) controller() *corev1.Pod {
	l.Helper()
	var found *corev1.Pod
	await(l, ref{deployments, system, "spock-controller"}, 2*soon, "it is ready", func(o *metav1.PartialObjectMetadata) bool {
		list, err := l.kube.CoreV1().Pods(system).List(l.ctx, metav1.ListOptions{LabelSelector: controllerPods})
		l.must(err)
		for i := range list.Items {
			if pod := &list.Items[i]; pod.DeletionTimestamp == nil && isReady(pod) {
				found = pod
			}
		}
		return found != nil
	})
	return found
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// dismiss deletes a pod and waits until it is gone.
func (l *lab) dismiss(pod *corev1.Pod, grace *int64) {
	l.Helper()
	l.must(l.kube.CoreV1().Pods(pod.Namespace).Delete(l.ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: grace, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	}))
	l.gone(ref{pods, pod.Namespace, pod.Name}, 2*soon)
}

// kill ends the processes of a program in a pod with SIGKILL, where the node is this
// machine. They are found by the pod's uid, which no other process has in its cgroup.
func (l *lab) kill(pod *corev1.Pod, program string) {
	l.Helper()
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	l.must(err)
	killed := 0
	for _, path := range groups {
		dir := filepath.Dir(path)
		if !holds(path, "pod"+string(pod.UID)) || !holds(filepath.Join(dir, "cmdline"), program) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		l.must(err)
		l.must(syscall.Kill(pid, syscall.SIGKILL))
		killed++
	}
	if killed == 0 {
		l.Logf("the process is not on this machine, or not visible: its pod is deleted without grace only")
	}
}

func holds(path, text string) bool {
	content, err := os.ReadFile(path)
	return err == nil && strings.Contains(string(content), text) // a process may be gone by now
}
