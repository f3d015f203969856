package teller

import (
	"context"
	"fmt"
	"sync"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	"github.com/tektoncd/pipeline/pkg/client/informers/externalversions"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"spock.dev/spock/pkg/task/api"
	"spock.dev/spock/pkg/trigger"
)

const (
	// workers tell of so many runs at a time; one may have to wait for a rate limit.
	workers = 4
	// firstPause and mostPause are between attempts to tell a service that is in trouble.
	firstPause = time.Second
	mostPause  = 5 * time.Minute

	ofRun        = "tekton.dev/pipelineRun"
	ofTask       = "tekton.dev/pipelineTask"
	byRun        = "run"
	pipelineRuns = "pipelineruns"
)

// Watch is the runs of a namespace that events asked for, as they are now.
type Watch struct {
	factory              externalversions.SharedInformerFactory
	runs, tasks, customs cache.SharedIndexInformer
	queue                workqueue.TypedRateLimitingInterface[cache.ObjectName]
}

// NewWatch does not begin yet.
func NewWatch(client tekton.Interface, namespace string) (*Watch, error) {
	f := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithNamespace(namespace),
		externalversions.WithTransform(lean),
		externalversions.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = trigger.Prefix + "source" }))
	pause := workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](firstPause, mostPause)
	w := &Watch{
		factory: f, runs: f.Tekton().V1().PipelineRuns().Informer(), tasks: f.Tekton().V1().TaskRuns().Informer(),
		customs: f.Tekton().V1beta1().CustomRuns().Informer(), queue: workqueue.NewTypedRateLimitingQueue(pause),
	}
	for _, children := range []cache.SharedIndexInformer{w.tasks, w.customs} {
		if err := children.AddIndexers(cache.Indexers{byRun: runOf}); err != nil {
			return nil, fmt.Errorf("watch the tasks of runs: %w", err)
		}
		if _, err := children.AddEventHandler(w.handler(runOf)); err != nil {
			return nil, fmt.Errorf("watch the tasks of runs: %w", err)
		}
	}
	if _, err := w.runs.AddEventHandler(w.handler(nameOf)); err != nil {
		return nil, fmt.Errorf("watch runs: %w", err)
	}
	return w, nil
}

// lean keeps out of memory what nobody asks for.
func lean(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil {
		m.SetManagedFields(nil)
	}
	return object, nil
}

func nameOf(object any) ([]string, error) {
	m, err := meta.Accessor(object)
	if err != nil {
		return nil, err
	}
	return []string{m.GetName()}, nil
}

// runOf is the name of the run for which something ran.
func runOf(object any) ([]string, error) {
	m, err := meta.Accessor(object)
	if err != nil || m.GetLabels()[ofRun] == "" {
		return nil, err
	}
	return []string{m.GetLabels()[ofRun]}, nil
}

// handler asks for a look at the run of what has changed or has gone.
func (w *Watch) handler(names func(any) ([]string, error)) cache.ResourceEventHandler {
	look := func(object any) {
		if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = last.Obj
		}
		found, err := names(object)
		m, bad := meta.Accessor(object)
		if err != nil || bad != nil {
			return
		}
		for _, name := range found {
			w.queue.Add(cache.ObjectName{Namespace: m.GetNamespace(), Name: name})
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: look, UpdateFunc: func(_, now any) { look(now) }, DeleteFunc: look}
}

// Serve tells until the context ends.
func (w *Watch) Serve(ctx context.Context, t *Teller) error {
	w.factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), w.runs.HasSynced, w.tasks.HasSynced, w.customs.HasSynced) {
		return ctx.Err()
	}
	t.Log.Info("watching")
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for w.next(ctx, t) {
			}
		})
	}
	<-ctx.Done()
	w.queue.ShutDown()
	group.Wait()
	w.factory.Shutdown()
	return nil
}

// next tells of one run. What a service refuses is not tried again before the run changes.
func (w *Watch) next(ctx context.Context, t *Teller) bool {
	key, over := w.queue.Get()
	if over {
		return false
	}
	defer w.queue.Done(key)
	err := t.Tell(ctx, key.Namespace, key.Name)
	if err == nil || ctx.Err() != nil {
		w.queue.Forget(key)
		return true
	}
	const refused, broken = 400, 500
	code := api.Code(err)
	t.Log.Error(err.Error(), "run", key.Name)
	if code >= refused && code < broken {
		w.queue.Forget(key)
		return true
	}
	w.queue.AddRateLimited(key)
	return true
}

// run is a run of the cache.
func (w *Watch) run(namespace, name string) (*tektonv1.PipelineRun, error) {
	object, found, err := w.runs.GetStore().GetByKey(cache.NewObjectName(namespace, name).String())
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, apierrors.NewNotFound(tektonv1.Resource(pipelineRuns), name)
	}
	return object.(*tektonv1.PipelineRun), nil
}

// children are what ran for a run, of the cache. Of several for one task (a matrix) the one
// that did worst counts.
func (w *Watch) children(run *tektonv1.PipelineRun) (map[string]child, error) {
	out := map[string]child{}
	add := func(object metav1.Object, c child) {
		task := object.GetLabels()[ofTask]
		if had, ok := out[task]; object.GetNamespace() == run.Namespace && (!ok || rank(c.state) > rank(had.state)) {
			out[task] = c
		}
	}
	tasks, err := w.tasks.GetIndexer().ByIndex(byRun, run.Name)
	if err != nil {
		return nil, err
	}
	for _, object := range tasks {
		add(object.(*tektonv1.TaskRun), ofTaskRun(object.(*tektonv1.TaskRun)))
	}
	customs, err := w.customs.GetIndexer().ByIndex(byRun, run.Name)
	if err != nil {
		return nil, err
	}
	for _, object := range customs {
		add(object.(*v1beta1.CustomRun), ofCustomRun(object.(*v1beta1.CustomRun)))
	}
	return out, nil
}

// rank orders states from good to bad.
func rank(state string) int {
	switch state {
	case failed:
		return 2
	case running:
		return 1
	}
	return 0
}
