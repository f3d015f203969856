package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"spock.dev/spock/pkg/follow"
)

// logs prints the logs of pods and of units on machines, whole lines at a time.
type logs struct {
	follow, previous bool
	tail             int64

	pods  typedcorev1.PodInterface
	units *units
	paint paint
	mu    sync.Mutex // of both writers
	out   io.Writer
	err   io.Writer
}

// printPod prints the logs of a pod's containers, one after the other.
func (l *logs) printPod(ctx context.Context, pod *corev1.Pod) {
	for i := range pod.Spec.Containers {
		container := pod.Spec.Containers[i].Name
		if status := statusOf(pod, container); !l.previous && !begun(status) {
			l.remark(pod, container, waiting(pod, status))
			continue
		}
		l.stream(ctx, pod, container, l.tail)
	}
}

// followAll prints all logs and those that come, until ctx ends: that is how a person
// ends it.
func (l *logs) followAll(ctx context.Context, client kubernetes.Interface, only metav1.ListOptions) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var hosts sync.WaitGroup
	hosts.Go(func() {
		if err := l.followUnits(ctx); err != nil && ctx.Err() == nil {
			l.hostsAreHidden(err)
		}
	})
	err := l.followPods(ctx, client, only)
	stop()
	hosts.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (l *logs) followPods(ctx context.Context, client kubernetes.Interface, only metav1.ListOptions) error {
	var streams sync.WaitGroup
	seen := map[string]bool{} // instances of containers
	err := follow.Objects(ctx, client, l.pods, only, &corev1.Pod{}, false, func(pod *corev1.Pod, gone bool) bool {
		for i := range pod.Spec.Containers {
			container := pod.Spec.Containers[i].Name
			status := statusOf(pod, container)
			instance := fmt.Sprintf("%s/%s/%d", pod.UID, container, restarts(status))
			if gone || seen[instance] || !begun(status) {
				continue
			}
			tail := l.tail
			if restarts(status) > 0 && seen[fmt.Sprintf("%s/%s/%d", pod.UID, container, restarts(status)-1)] {
				tail = -1 // it began under our eyes: all of it is new
			}
			seen[instance] = true
			streams.Go(func() { l.stream(ctx, pod, container, tail) })
		}
		return false
	})
	streams.Wait()
	return err
}

// stream copies the log of a container. What prevents it is a remark, no failure: the
// other logs are worth reading.
func (l *logs) stream(ctx context.Context, pod *corev1.Pod, container string, tail int64) {
	options := &corev1.PodLogOptions{Container: container, Follow: l.follow, Previous: l.previous}
	if tail >= 0 {
		options.TailLines = &tail
	}
	body, err := l.pods.GetLogs(pod.Name, options).Stream(ctx)
	if err != nil {
		if ctx.Err() == nil {
			l.remark(pod, container, err.Error())
		}
		return
	}
	defer body.Close()
	reader := bufio.NewReader(body)
	for {
		line, err := reader.ReadString('\n')
		if line != "" {
			l.print(l.out, pod, container, strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				l.remark(pod, container, "the log breaks off: "+err.Error())
			}
			return
		}
	}
}

func (l *logs) remark(pod *corev1.Pod, container, text string) {
	l.print(l.err, pod, container, text)
}

func (l *logs) print(out io.Writer, pod *corev1.Pod, container, text string) {
	prefix := serviceOf(pod) + "/" + pod.Name
	if len(pod.Spec.Containers) > 1 {
		prefix += "/" + container
	}
	l.printLine(out, prefix, text)
}

func (l *logs) printLine(out io.Writer, prefix, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(out, "%s %s\n", l.paint.in(shade(prefix), prefix+" |"), text)
}

// shade is always the same colour for the same name.
func shade(name string) string {
	shades := []string{cyan, yellow, green, magenta, blue}
	sum := fnv.New32a()
	io.WriteString(sum, name) // a hash takes everything
	return shades[int(sum.Sum32()%uint32(len(shades)))]
}

func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == container {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// begun says whether an instance of the container has run, so that there is a log.
func begun(status *corev1.ContainerStatus) bool {
	return status != nil && (status.State.Running != nil || status.State.Terminated != nil || status.LastTerminationState.Terminated != nil)
}

func restarts(status *corev1.ContainerStatus) int32 {
	if status == nil {
		return 0
	}
	return status.RestartCount
}

func waiting(pod *corev1.Pod, status *corev1.ContainerStatus) string {
	if status != nil && status.State.Waiting != nil && status.State.Waiting.Reason != "" {
		return "no log yet: " + status.State.Waiting.Reason
	}
	return fmt.Sprintf("no log yet: the pod is %s", pod.Status.Phase)
}
