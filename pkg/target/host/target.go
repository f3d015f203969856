package host

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/rootfs"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/unit"
)

// Kind is of the objects that this target makes: a service on a machine. Their spec is a
// unit.Instance. No API server knows it; they live on the machines.
var Kind = v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KindHostService)

// annotationApplied tells one write of an object from the next one.
const annotationApplied = "spock.dev/applied"

// Door is what a target asks outside of the machines. Known is asked without waiting. Contexts are for what is returned,
// too: layers are read from their registry later.
type Door struct {
	// Image finds the image of a service for an architecture, with the credentials of a Secret
	// of the environment's own namespace if one is named.
	Image func(ctx context.Context, scope target.Scope, wanted unit.Instance, architecture string) (v1.Image, error)
	// Archive returns an archive as a layer, whose files are below unit.App.
	Archive func(ctx context.Context, scope target.Scope, wanted unit.Archive) (rootfs.Layer, error)
	// Known are the machines that are known to run services of an environment, whether or not
	// the fleet has them already.
	Known func(environment types.NamespacedName) []types.NamespacedName
	// Secret reads a key of a Secret of the environment, as the environment's account.
	Secret func(ctx context.Context, scope target.Scope, name, key string) (string, error)
}

// Target is all machines of a fleet. It is safe for concurrent use.
//
// A write is accepted at once and brought to the machine in the background; what is seen
// meanwhile is how far it is. When the machine is away, it goes on when it is back.
type Target struct {
	ctx      context.Context
	fleet    *Fleet
	releases *releases
	door     Door
	epoch    func() int64
	changed  func(types.NamespacedName)

	mu      sync.Mutex
	jobs    map[string]*job // by ID of the service
	logs    map[string]string
	waiting map[types.NamespacedName]string // environments to report when the machines of a namespace are known
	moved   map[types.NamespacedName]chan struct{}
	on      map[types.NamespacedName]map[types.NamespacedName]bool // environments that each machine last told of
}

var _ target.Target = (*Target)(nil)

// New returns the target. epoch is larger for a controller that took over than for all
// before it; changed is called with every environment that is seen otherwise than before,
// from many goroutines.
func New(ctx context.Context, fleet *Fleet, door Door, epoch func() int64, changed func(types.NamespacedName)) *Target {
	t := &Target{
		ctx: ctx, fleet: fleet, releases: &releases{ctx: ctx, door: door, known: map[string]*known{}}, door: door, epoch: epoch, changed: changed,
		jobs: map[string]*job{}, logs: map[string]string{}, waiting: map[types.NamespacedName]string{}, moved: map[types.NamespacedName]chan struct{}{},
		on: map[types.NamespacedName]map[types.NamespacedName]bool{},
	}
	fleet.Listen(t.hears)
	return t
}

// hears takes note that a machine moved: it wakes what waits for it, and reports the
// environments that are on it, were on it, or wait to be observed: a machine that has come back
// with an empty disk tells of none.
func (t *Target) hears(name types.NamespacedName) {
	sight, _ := t.fleet.See(name)
	now := map[types.NamespacedName]bool{}
	for _, told := range sight.Services {
		now[environmentOf(told.Record.Labels)] = true
	}
	report := maps.Clone(now)
	t.mu.Lock()
	if wake := t.moved[name]; wake != nil {
		close(wake)
		delete(t.moved, name)
	}
	maps.Copy(report, t.on[name])
	t.on[name] = now
	for _, j := range t.jobs {
		if j.machine == name {
			report[j.scope.Environment] = true
		}
	}
	for env, namespace := range t.waiting {
		if namespace == name.Namespace {
			report[env] = true
		}
	}
	t.mu.Unlock()
	t.readLogs(name, sight)
	for env := range report {
		t.changed(env)
	}
}

func environmentOf(labels map[string]string) types.NamespacedName {
	return types.NamespacedName{Namespace: labels[v1alpha1.LabelEnvironmentNamespace], Name: labels[v1alpha1.LabelEnvironment]}
}

// Observe implements target.Target.
func (t *Target) Observe(_ context.Context, scope target.Scope, _ []schema.GroupVersionKind) (target.State, error) {
	t.mu.Lock()
	t.waiting[scope.Environment] = namespaceOf(scope)
	t.mu.Unlock()
	for _, name := range t.door.Known(scope.Environment) {
		if t.fleet.machine(name) == nil {
			return target.State{}, target.ErrNotSynced // what runs there must not be taken for gone
		}
	}
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}}
	for _, m := range t.fleet.seenFrom(namespaceOf(scope)) {
		sight := m.sight()
		if !sight.Connected && sight.Failure == nil && m.name.Namespace == namespaceOf(scope) {
			return target.State{}, target.ErrNotSynced
		}
		for id, told := range sight.Services {
			if environmentOf(told.Record.Labels) == scope.Environment {
				o := t.live(id, told, sight, m.name)
				state.Objects[keyOf(o.GetName())] = o
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, scope.Environment)
	t.overlay(scope, state.Objects)
	return state, nil
}

// namespaceOf is the namespace of the machines of an environment.
func namespaceOf(scope target.Scope) string {
	return cmp.Or(scope.Hosts, scope.Environment.Namespace)
}

func keyOf(name string) plan.Key { return plan.Key{GroupVersionKind: Kind, Name: name} }

// overlay puts what is on its way over what the machines have told.
func (t *Target) overlay(scope target.Scope, objects map[plan.Key]*unstructured.Unstructured) {
	for id, j := range t.jobs {
		if j.scope.Environment != scope.Environment {
			continue
		}
		key := keyOf(j.record.Name)
		told := objects[key]
		switch {
		case j.removing && j.done && told == nil:
			delete(t.jobs, id)
		case j.removing:
			o := j.object()
			if told != nil {
				o = told.DeepCopy()
			}
			now := metav1.NewTime(j.since)
			o.SetDeletionTimestamp(&now)
			objects[key] = o
		case j.done && told != nil && told.GetAnnotations()[annotationApplied] == j.record.Annotations[annotationApplied]:
			delete(t.jobs, id)
		default:
			objects[key] = j.object()
		}
	}
}

// Apply implements target.Target.
func (t *Target) Apply(_ context.Context, scope target.Scope, object plan.Object, _ bool) error {
	spec, err := json.Marshal(object.Desired.Object["spec"])
	if err != nil {
		return fmt.Errorf("encode %s: %w", object.Key, err)
	}
	var want unit.Instance
	if err := json.Unmarshal(spec, &want); err != nil {
		return fmt.Errorf("read %s: %w", object.Key, err)
	}
	annotations := object.Desired.DeepCopy().GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationRun] = scope.Run
	annotations[annotationApplied] = string(uuid.NewUUID())
	id := idOf(scope.Environment, object.Name)
	uid, from := t.find(scope, id)
	j := &job{
		id: id, scope: scope, machine: types.NamespacedName{Namespace: cmp.Or(want.HostNamespace, scope.Environment.Namespace), Name: want.Host}, want: want,
		record: Record{Name: object.Name, UID: cmp.Or(uid, string(uuid.NewUUID())), Labels: object.Desired.GetLabels(), Annotations: annotations, Spec: spec},
	}
	if from != nil && *from != j.machine {
		j.before = from
	}
	t.start(j)
	return nil
}

// find returns the uid of a service and the machine that it is on.
func (t *Target) find(scope target.Scope, id string) (uid string, on *types.NamespacedName) {
	t.mu.Lock()
	if j := t.jobs[id]; j != nil && !j.removing {
		defer t.mu.Unlock()
		return j.record.UID, &j.machine
	}
	t.mu.Unlock()
	for _, m := range t.fleet.seenFrom(namespaceOf(scope)) {
		if told, ok := m.sight().Services[id]; ok {
			return told.Record.UID, &m.name
		}
	}
	return "", nil
}

// Delete implements target.Target.
func (t *Target) Delete(_ context.Context, scope target.Scope, key plan.Key, uid types.UID) error {
	id := idOf(scope.Environment, key.Name)
	known, on := t.find(scope, id)
	if on == nil || known != string(uid) {
		return nil
	}
	t.start(&job{id: id, scope: scope, machine: *on, record: Record{Name: key.Name, UID: known}, removing: true})
	return nil
}

// Room implements target.Target: placement says itself what fits.
func (t *Target) Room(context.Context, target.Scope, string, corev1.ResourceName) (string, error) {
	return "", nil
}

// Log implements target.Target; pod is the name of a HostService.
func (t *Target) Log(ctx context.Context, scope target.Scope, pod, _ string, _ bool, lines int64) (string, error) {
	id := idOf(scope.Environment, pod)
	_, on := t.find(scope, id)
	if on == nil {
		return "", fmt.Errorf("read the log of %s: it is on no machine", pod)
	}
	m := t.fleet.machine(*on)
	if m == nil || m.connection() == nil {
		return "", fmt.Errorf("read the log of %s: host %s is not connected", pod, on.Name)
	}
	return m.connection().Journal(ctx, id, int(lines), "")
}

// start replaces what is under way for a service.
func (t *Target) start(j *job) {
	ctx, stop := context.WithCancel(t.ctx)
	j.stop, j.ended, j.since = stop, make(chan struct{}), time.Now()
	t.mu.Lock()
	before := t.jobs[j.id]
	t.jobs[j.id] = j
	t.mu.Unlock()
	if before != nil {
		before.stop()
	}
	go func() {
		defer close(j.ended)
		if before != nil {
			<-before.ended
		}
		t.work(ctx, j)
		t.changed(j.scope.Environment)
	}()
}
