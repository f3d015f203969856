// Package kubelet stands for the nodes of the bed. It is a fake, and all that is
// seen on it is simulated in one respect: no container runs. A pod that is bound to
// one of its nodes becomes ready, or fails, as its image says; where a Simulation is
// given, also those whose images say nothing, and the steps of Tekton's TaskRuns.
//
// It writes what a kubelet writes, when its time has come, and is driven by one watch
// and one timer.
package kubelet

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/bench/work"
)

// Kubelet drives the pods of all nodes.
type Kubelet struct {
	client  kubernetes.Interface
	objects dynamic.Interface
	rest    *Simulation // of the pods whose images say nothing; nil leaves them alone
	wake    chan struct{}

	mu        sync.Mutex
	due       queue
	known     map[types.UID]bool
	addresses int
	// Late is the longest time by which a pod was written after it was due.
	late time.Duration
}

// Start creates nodes and drives what is bound to them, until ctx ends. Without a
// simulation, pods whose images tell no behaviour are left alone.
func Start(ctx context.Context, config *rest.Config, nodes int, others *Simulation) (*Kubelet, error) {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the nodes' client: %w", err)
	}
	config = rest.CopyConfig(config)
	config.ContentType, config.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the nodes' client: %w", err)
	}
	k := &Kubelet{client: client, objects: objects, rest: others, wake: make(chan struct{}, 1), known: map[types.UID]bool{}}
	for i := range nodes {
		if err := k.create(ctx, fmt.Sprintf("node-%d", i)); err != nil {
			return nil, err
		}
	}
	all := informers.NewSharedInformerFactory(client, 0)
	if others != nil {
		if err := k.keepClaims(ctx, all); err != nil {
			return nil, err
		}
	}
	pods := all.Core().V1().Pods().Informer()
	if _, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { k.see(obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { k.see(obj.(*corev1.Pod)) },
	}); err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	go pods.Run(ctx.Done())
	for range writers {
		go k.work(ctx)
	}
	if !cache.WaitForCacheSync(ctx.Done(), pods.HasSynced) {
		return nil, ctx.Err()
	}
	return k, nil
}

// writers is how many pods are written at once; all nodes together.
const writers = 16

// Late is the longest time by which a pod was written after it was due.
func (k *Kubelet) Late() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.late
}

// create makes a node that is ready, with room for everything.
func (k *Kubelet) create(ctx context.Context, name string) error {
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("1000"), corev1.ResourceMemory: resource.MustParse("4000Gi"), corev1.ResourcePods: resource.MustParse("5000"),
	}
	_, err := k.client.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: corev1.NodeStatus{
			Capacity: room, Allocatable: room,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create node %s: %w", name, err)
	}
	return nil
}

// see plans what a pod does next.
func (k *Kubelet) see(p *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	switch {
	case p.Spec.NodeName == "":
		return
	case p.DeletionTimestamp != nil:
		k.plan(act{at: now, pod: p, do: k.remove})
	case k.known[p.UID]:
		return
	default:
		k.known[p.UID] = true
		k.begin(p, now)
	}
}

// begin plans the life of a pod that was bound.
func (k *Kubelet) begin(p *corev1.Pod, now time.Time) {
	p = p.DeepCopy()
	p.Status.StartTime, p.Status.PodIP = &metav1.Time{Time: now}, k.address()
	ready, fault, err := work.Behaviour(p.Spec.Containers[0].Image)
	switch {
	case err == nil && fault != "":
		ready = failsAfter
	case err != nil && k.rest == nil:
		return // not ours to run
	case err != nil && isTask(p):
		k.plan(act{at: now.Add(startsAfter), pod: p, do: k.startSteps})
		k.plan(act{at: now.Add(startsAfter + k.rest.Delays.Of(nameOf(p))), pod: p, do: k.endSteps})
		return
	case err != nil && endsByItself(p):
		k.plan(act{at: now.Add(k.rest.Delays.Of(nameOf(p))), pod: p, do: k.complete})
		return
	case err != nil:
		if ready, fault = k.rest.Delays.Of(nameOf(p)), k.rest.fault(p); fault != "" {
			ready = failsAfter
		}
	}
	k.plan(act{at: now.Add(ready), pod: p, do: func(ctx context.Context, p *corev1.Pod) error { return k.report(ctx, p, fault) }})
}

const (
	// failsAfter is how long a pod that will not come up takes to say so.
	failsAfter = 100 * time.Millisecond
	// startsAfter is how long a pod takes from being bound to its containers' start.
	startsAfter = 200 * time.Millisecond
)

// plan is called with the lock held.
func (k *Kubelet) plan(a act) {
	heap.Push(&k.due, a)
	k.nudge()
}

func (k *Kubelet) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// work does what is due, and sleeps until the next is.
func (k *Kubelet) work(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		a, wait := k.next()
		if a != nil {
			// A pod that is gone, or was written by somebody else meanwhile, is seen again.
			_ = a.do(ctx, a.pod)
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
	}
}

// next takes what is due, or says how long nothing is.
func (k *Kubelet) next() (*act, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.due) == 0 {
		return nil, time.Hour
	}
	late := time.Since(k.due[0].at)
	if late < 0 {
		return nil, -late
	}
	a := heap.Pop(&k.due).(act)
	k.late = max(k.late, late)
	if len(k.due) > 0 {
		k.nudge()
	}
	return &a, 0
}

// act is what is to be done with a pod at a time.
type act struct {
	at  time.Time
	pod *corev1.Pod
	do  func(context.Context, *corev1.Pod) error
}

// queue is a heap by time.
type queue []act

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(a any)        { *q = append(*q, a.(act)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
