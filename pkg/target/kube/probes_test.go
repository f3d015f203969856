package kube

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	k8stesting "k8s.io/client-go/testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// runningSince is a pod of an environment whose containers run since then.
func runningSince(scope target.Scope, name string, at time.Time, containers ...string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: scope.Namespace, Labels: map[string]string{
		v1alpha1.LabelEnvironment: scope.Environment.Name, v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace, v1alpha1.LabelService: "api",
	}}}
	for _, c := range containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(at)}},
		})
	}
	return pod
}

// tells is a node's word on a probe of a container of the pod.
func tells(pod *corev1.Pod, name, container, message string, at time.Time) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: name, Namespace: pod.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, FieldPath: "spec.containers{" + container + "}"},
		Reason:         unhealthy, Message: message, LastTimestamp: metav1.NewTime(at),
	}
}

func TestAnAnswerIsTheLastOfTheInstanceThatRuns(t *testing.T) {
	t.Parallel()
	pod := runningSince(shop, "api-1", noon, "main", "proxy")
	inSeries := tells(pod, "b", "main", "in a series", time.Time{})
	inSeries.Series = &corev1.EventSeries{LastObservedTime: metav1.NewMicroTime(noon.Add(time.Hour))}
	long := strings.Repeat("x", answerSize+1)
	main := target.Container{Pod: "api-1", Name: "main"}
	tests := map[string]struct {
		events []*corev1.Event
		want   map[target.Container]string
	}{
		"none":                              {want: map[target.Container]string{}},
		"each container has its own":        {[]*corev1.Event{tells(pod, "a", "proxy", "of the proxy", noon), tells(pod, "b", "main", "of main", noon)}, map[target.Container]string{main: "of main", {Pod: "api-1", Name: "proxy"}: "of the proxy"}},
		"the last one told":                 {[]*corev1.Event{tells(pod, "a", "main", "new\n", noon.Add(time.Second)), tells(pod, "b", "main", "old", noon)}, map[target.Container]string{main: "new"}},
		"a series as of its end":            {[]*corev1.Event{inSeries, tells(pod, "a", "main", "old", noon)}, map[target.Container]string{main: "in a series"}},
		"an instance before does not speak": {[]*corev1.Event{tells(pod, "a", "main", "before", noon.Add(-time.Second))}, map[target.Container]string{}},
		"no more than fits a sentence":      {[]*corev1.Event{tells(pod, "a", "main", long, noon)}, map[target.Container]string{main: long[:answerSize] + "..."}},
		"what is about another pod":         {[]*corev1.Event{tells(runningSince(shop, "api-2", noon), "a", "main", "not mine", noon)}, map[target.Container]string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab()
			must(l.kube.Tracker().Add(pod.DeepCopy()))
			for _, e := range tc.events {
				must(l.kube.Tracker().Add(e.DeepCopy()))
			}
			on := l.target(t)
			l.synced(t, on, shop)
			l.until(t, "the answers", func() bool { return cmp.Equal(tc.want, see(t, on, shop).Answers) })
		})
	}
}

func TestAnotherAnswerIsReportedAndTheSameAgainIsNot(t *testing.T) {
	t.Parallel()
	l := newLab()
	pod := runningSince(shop, "api-1", noon, "main")
	must(l.kube.Tracker().Add(pod))
	must(l.kube.Tracker().Add(runningSince(other, "api-1", noon, "main")))
	on := l.target(t)
	l.synced(t, on, shop)
	l.synced(t, on, other)
	hear := func(before, event *corev1.Event) bool {
		is, err := words(event)
		must(err)
		var was any
		if before != nil {
			was, err = words(before)
			must(err)
		}
		for len(l.changed) > 0 {
			<-l.changed
		}
		on.probes.heard(was, is)
		return len(l.changed) > 0 && <-l.changed == shop.Environment
	}
	said := func(message string, after time.Duration) *corev1.Event {
		return tells(pod, "a", "main", message, noon.Add(after))
	}
	if !hear(nil, said("503", time.Second)) {
		t.Error("the first answer is not reported")
	}
	if hear(said("503", time.Second), said("503", 2*time.Second)) {
		t.Error("the same answer again is reported")
	}
	if !hear(said("503", time.Second), said("404", 2*time.Second)) {
		t.Error("another answer is not reported")
	}
	if !hear(said("503", -time.Minute), said("503", time.Second)) {
		t.Error("the same answer of the next instance is not reported")
	}
	if hear(nil, said("503", -time.Minute)) {
		t.Error("an answer of an instance before is reported")
	}
}

func TestOneWatchHearsOfAllProbes(t *testing.T) {
	t.Parallel()
	l := newLab()
	began := make(chan k8stesting.WatchAction, 1)
	l.kube.PrependWatchReactor("events", func(action k8stesting.Action) (bool, apiwatch.Interface, error) {
		began <- action.(k8stesting.WatchAction)
		return false, nil, nil
	})
	l.target(t)
	w := <-began
	if got := w.GetWatchRestrictions().Fields.String(); w.GetNamespace() != "" || got != "involvedObject.kind=Pod,reason=Unhealthy" {
		t.Errorf("the watch of namespace %q selects %s", w.GetNamespace(), got)
	}
}
