package environment

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
)

// fakeTarget keeps what is written. A workload is ready once comeUp was called.
type fakeTarget struct {
	mu      sync.Mutex
	objects map[plan.Key]*unstructured.Unstructured
	serial  int
	writes  int
	scopes  []target.Scope   // of the writes
	apply   map[string]error // answers to writes, by kind/name
	observe error
	remove  error
}

func newFakeTarget() *fakeTarget {
	return &fakeTarget{objects: map[plan.Key]*unstructured.Unstructured{}, apply: map[string]error{}}
}

func (f *fakeTarget) Observe(context.Context, target.Scope, []schema.GroupVersionKind) (target.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}}
	for k, o := range f.objects {
		state.Objects[k] = o.DeepCopy()
	}
	return state, f.observe
}

func (f *fakeTarget) Apply(_ context.Context, scope target.Scope, o plan.Object, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.apply[o.Key.String()]; err != nil {
		return err
	}
	f.writes++
	f.scopes = append(f.scopes, scope)
	written, before := o.Desired.DeepCopy(), f.objects[o.Key]
	if before == nil {
		f.serial++
		written.SetUID(types.UID(fmt.Sprintf("object-%d", f.serial)))
		written.SetGeneration(1)
	} else {
		written.SetUID(before.GetUID())
		written.SetGeneration(before.GetGeneration() + 1)
		written.Object["status"] = before.Object["status"]
	}
	annotations := written.GetAnnotations()
	annotations[v1alpha1.AnnotationRun] = scope.Run
	written.SetAnnotations(annotations)
	f.objects[o.Key] = written
	return nil
}

func (f *fakeTarget) Delete(_ context.Context, _ target.Scope, k plan.Key, uid types.UID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.remove != nil {
		return f.remove
	}
	if o := f.objects[k]; o != nil && o.GetUID() == uid {
		f.writes++
		at := metav1.NewTime(began)
		o.SetDeletionTimestamp(&at)
	}
	return nil
}

func (f *fakeTarget) Room(context.Context, target.Scope, string, corev1.ResourceName) (string, error) {
	return "", nil
}

func (f *fakeTarget) Log(context.Context, target.Scope, string, string, bool, int64) (string, error) {
	return "", nil
}

// comeUp makes the deployments of these services ready as they were written last.
func (f *fakeTarget) comeUp(services ...string) {
	for _, name := range services {
		o := f.deployment(name)
		o.Object["status"] = map[string]any{
			"observedGeneration": o.GetGeneration(), "replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1),
		}
	}
}

// begin reports that the deployments have been seen, with some pods of the new version.
func (f *fakeTarget) begin(service string, updated int64) {
	o := f.deployment(service)
	o.Object["status"] = map[string]any{"observedGeneration": o.GetGeneration(), "replicas": updated, "updatedReplicas": updated}
}

func (f *fakeTarget) deployment(name string) *unstructured.Unstructured {
	return f.objects[plan.Key{GroupVersionKind: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Name: name}]
}

// vanish takes away what is being deleted.
func (f *fakeTarget) vanish() {
	for k, o := range f.objects {
		if o.GetDeletionTimestamp() != nil {
			delete(f.objects, k)
		}
	}
}

// fakeHomes makes namespaces in memory.
type fakeHomes struct {
	exists, removed, fresh, waiting bool
	err                             error
	prepared                        []*scaffold.Scaffold
}

func (f *fakeHomes) Prepare(_ context.Context, _ target.Scope, want *scaffold.Scaffold) (bool, error) {
	if f.err != nil {
		return false, f.err
	}
	if f.waiting {
		return false, nil
	}
	f.exists = true
	f.prepared = append(f.prepared, want)
	return true, nil
}

func (f *fakeHomes) Fresh(string, time.Time) bool { return f.fresh }

func (f *fakeHomes) Exists(target.Scope) bool { return f.exists }

// Remove begins to remove; the namespace is gone when exists is false.
func (f *fakeHomes) Remove(context.Context, target.Scope) (bool, error) {
	f.removed = true
	return !f.exists, nil
}

// foreign is the error of a namespace that belongs to somebody else.
type foreign struct{}

func (foreign) Error() string {
	return "namespace team-a-shop exists and was not made for this environment: remove it, or give the environment another name"
}
func (foreign) Foreign() bool { return true }
