package kube

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/target"
)

// probes follow what nodes tell of failing probes, with one watch for all environments.
// Nothing waits for it: where the controller may not watch, only the words are missing.
type probes struct {
	told    cache.SharedIndexInformer
	pods    cache.SharedIndexInformer
	changed func(types.NamespacedName)
}

// unhealthy is the reason of the events by which a kubelet tells of failing probes.
const unhealthy = "Unhealthy"

// byPod is the index of events by the pod they are about.
const byPod = "pod"

func newProbes(done <-chan struct{}, own *client, pods cache.SharedIndexInformer, changed func(types.NamespacedName)) *probes {
	about := fields.Set{"involvedObject.kind": "Pod", "reason": unhealthy}.String()
	p := &probes{
		told: coreinformers.NewFilteredEventInformer(own.kube, metav1.NamespaceAll, 0,
			cache.Indexers{byPod: podOf}, func(o *metav1.ListOptions) { o.FieldSelector = about }),
		pods: pods, changed: changed,
	}
	must(p.told.SetTransform(words))
	_, err := p.told.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { p.heard(nil, obj) },
		UpdateFunc: p.heard,
	})
	must(err)
	go p.told.Run(done)
	return p
}

// words leaves of an event what is read of it.
func words(obj any) (any, error) {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return obj, nil
	}
	about := e.InvolvedObject
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: e.Name, Namespace: e.Namespace, UID: e.UID, ResourceVersion: e.ResourceVersion},
		InvolvedObject: corev1.ObjectReference{Namespace: about.Namespace, Name: about.Name, FieldPath: about.FieldPath},
		Message:        strings.ToValidUTF8(cut(strings.TrimSpace(e.Message), answerSize), ""),
		LastTimestamp:  *told(e),
	}, nil
}

// answerSize is how much of an answer is worth a place in a sentence.
const answerSize = 300

func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return text[:size] + "..."
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

func podOf(obj any) ([]string, error) {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return nil, nil
	}
	return []string{e.InvolvedObject.Namespace + "/" + e.InvolvedObject.Name}, nil
}

// heard reports the environment of a pod when there is another answer than before. The
// same one again, as a node tells it with every probe, is none.
func (p *probes) heard(before, obj any) {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return
	}
	found, exists, err := p.pods.GetIndexer().GetByKey(e.InvolvedObject.Namespace + "/" + e.InvolvedObject.Name)
	pod, ok := found.(*corev1.Pod)
	if err != nil || !exists || !ok || !counts(pod, e) {
		return // a pod that comes later is reported itself
	}
	if was, ok := before.(*corev1.Event); ok && was.Message == e.Message && counts(pod, was) {
		return
	}
	if env, ok := environmentOf(pod); ok {
		p.changed(env)
	}
}

// containerOf is the container that an event is about; empty when it names none.
func containerOf(e *corev1.Event) string {
	_, name, _ := strings.Cut(e.InvolvedObject.FieldPath, "{")
	return strings.TrimSuffix(name, "}")
}

// counts says that an event is about the instance of its container that runs now.
func counts(pod *corev1.Pod, e *corev1.Event) bool {
	since, runs := running(pod, containerOf(e))
	return runs && !e.LastTimestamp.Time.Before(since.Truncate(time.Second))
}

// running is since when a container runs.
func running(pod *corev1.Pod, name string) (since time.Time, runs bool) {
	for _, all := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range all {
			if all[i].Name == name && all[i].State.Running != nil {
				return all[i].State.Running.StartedAt.Time, true
			}
		}
	}
	return time.Time{}, false
}

// answers adds what the failing probes of a pod got.
func (p *probes) answers(pod *corev1.Pod, to map[target.Container]string) {
	found, err := p.told.GetIndexer().ByIndex(byPod, pod.Namespace+"/"+pod.Name)
	must(err)
	last := map[string]*corev1.Event{}
	for _, obj := range found {
		e, ok := obj.(*corev1.Event)
		if !ok || !counts(pod, e) {
			continue
		}
		name := containerOf(e)
		if was := last[name]; was == nil || was.LastTimestamp.Before(&e.LastTimestamp) {
			last[name] = e
		}
	}
	for name, e := range last {
		to[target.Container{Pod: pod.Name, Name: name}] = e.Message
	}
}
