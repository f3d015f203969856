//go:build hosts

package host

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/target"
)

// cluster is one in memory: what is written is there, and Deployments are ready at once.
type cluster struct {
	mu      sync.Mutex
	objects map[plan.Key]*unstructured.Unstructured
	// before is called before a Deployment is written, moved when something is not as before.
	before, moved func()
}

func (c *cluster) Observe(context.Context, target.Scope, []schema.GroupVersionKind) (target.State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := target.State{Objects: map[plan.Key]*unstructured.Unstructured{}, Pods: map[string][]*corev1.Pod{}}
	for k, o := range c.objects {
		state.Objects[k] = o.DeepCopy()
	}
	return state, nil
}

func (c *cluster) Apply(_ context.Context, scope target.Scope, o plan.Object, _ bool) error {
	if o.Kind == "Deployment" {
		c.before()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	written := o.Desired.DeepCopy()
	written.SetUID(types.UID("uid-of-" + o.Name))
	written.SetGeneration(1)
	written.Object["status"] = map[string]any{"observedGeneration": int64(1), "replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1), "readyReplicas": int64(1)}
	c.objects[o.Key] = written
	c.moved()
	return nil
}

func (c *cluster) Delete(_ context.Context, _ target.Scope, key plan.Key, _ types.UID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.objects, key)
	c.moved()
	return nil
}

func (c *cluster) Room(context.Context, target.Scope, string, corev1.ResourceName) (string, error) {
	return "", nil
}

func (c *cluster) Log(context.Context, target.Scope, string, string, bool, int64) (string, error) {
	return "", nil
}

// mixed is a product whose database runs on a machine and whose front is a pod.
func mixed(t *testing.T, b *box) *plan.Plan {
	t.Helper()
	text := func(s string) *string { return &s }
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "team-a", UID: "uid-1"}, Spec: v1alpha1.EnvironmentSpec{Product: "shop", Class: "dev"}}
	in := render.Input{
		Product: &v1alpha1.Product{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "team-a"}, Spec: v1alpha1.ProductSpec{Order: v1alpha1.OrderGroups, Groups: []v1alpha1.Group{
			{Name: "data", Services: []v1alpha1.ProductService{{Name: "db", Template: "db", Image: "registry.example.com/db:1", Target: v1alpha1.TargetHost}}},
			{Name: "front", Services: []v1alpha1.ProductService{{Name: "web", Template: "web", Image: "registry.example.com/web:1"}}},
		}}},
		Templates: map[string]*v1alpha1.ServiceTemplate{
			"db": {ObjectMeta: metav1.ObjectMeta{Name: "db"}, Spec: v1alpha1.ServiceTemplateSpec{
				Ports: []v1alpha1.Port{{Name: "http", Port: 8080}}, Env: []v1alpha1.EnvVar{{Name: "PORT", Value: text("8080")}},
				Readiness: &v1alpha1.Readiness{HTTP: &v1alpha1.HTTPProbe{Path: "/ready"}},
				Container: &v1alpha1.Container{}, Host: &v1alpha1.HostProcess{Volumes: []v1alpha1.HostVolume{{Name: "data", MountPath: "/data"}}},
			}},
			"web": {ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1alpha1.ServiceTemplateSpec{
				Env: []v1alpha1.EnvVar{{Name: "DB", Value: text("${services.db.host}:${services.db.port}")}}, Container: &v1alpha1.Container{},
			}},
		},
		Class:       &v1alpha1.EnvironmentClass{ObjectMeta: metav1.ObjectMeta{Name: "dev"}, Spec: v1alpha1.EnvironmentClassSpec{Domain: "example.com"}},
		Environment: env, Namespace: shop.Namespace, Hosts: []placement.Host{{Name: "db1", Address: b.Address}},
	}
	return planned(t, in)
}

func planned(t *testing.T, in render.Input) *plan.Plan {
	t.Helper()
	rendered, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	made, err := plan.Compute(plan.Input{Product: in.Product, Rendered: rendered, Environment: in.Environment})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// rollout steps until what is told is as expected.
type rollout struct {
	engine  *engine.Engine
	task    engine.Task
	changed <-chan types.NamespacedName
	tell    chan struct{}
	writes  int64
}

// rollsOut is a rollout of a plan to a machine and a cluster, none of which has it yet.
func rollsOut(t *testing.T, b *box, pods *cluster, made *plan.Plan) *rollout {
	t.Helper()
	machines, changed := on(t, b, 1)
	r := &rollout{engine: &engine.Engine{Target: target.Join(pods, machines), Gate: pace.NewGate(time.Now)}, changed: changed, tell: make(chan struct{}, 100)}
	pods.moved = func() { r.tell <- struct{}{} }
	r.task = engine.Task{Plan: made, Scope: shop, Refused: map[plan.Key]engine.Refusal{}, Heals: map[plan.Key]engine.Heals{}, Compared: engine.Compared{},
		Up: map[string]bool{}, Drift: v1alpha1.DriftHeal, Clocks: engine.Clocks{NoProgress: time.Minute, Deadline: 2 * time.Minute}, Since: time.Now(),
		Outbox: r.engine.NewOutbox(t.Context(), func() { r.tell <- struct{}{} })}
	return r
}

// takeDown tears down until nothing is left.
func (r *rollout) takeDown(t *testing.T) {
	t.Helper()
	nodes := r.task.Plan.Frozen()
	for {
		gone, message, err := r.engine.TearDown(t.Context(), shop, nodes)
		if err != nil {
			t.Fatal(err)
		}
		if gone {
			return
		}
		select {
		case <-r.changed:
		case <-r.tell:
		case <-time.After(patience):
			t.Fatalf("the teardown hangs: %s", message)
		}
	}
}

func (r *rollout) until(t *testing.T, what string, is func(engine.Outcome) bool) engine.Outcome {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	var out engine.Outcome
	for {
		var err error
		if out, err = r.engine.Step(ctx, r.task, time.Now); err == nil {
			r.task.Record, r.writes = out.Services, r.writes+out.Writes
			if is(out) {
				return out
			}
		}
		select {
		case <-r.changed:
		case <-r.tell:
		case <-ctx.Done():
			t.Fatalf("not seen in %s: %s; last %s %+v", patience, what, out.Message, out.Services)
		}
	}
}

func service(name string, want v1alpha1.ServiceState, class string) func(engine.Outcome) bool {
	return func(o engine.Outcome) bool {
		for _, s := range o.Services {
			if s.Name == name && s.State == want {
				return class == "" || s.Cause != nil && string(s.Cause.Class) == class
			}
		}
		return false
	}
}

func isReady(o engine.Outcome) bool { return o.Phase == v1alpha1.PhaseReady && o.Idle() }

func TestAMachineAndAClusterAreOneEnvironment(t *testing.T) {
	b := boot(t)
	root := dial(t, b.login(t, "root"))
	before := ask(t, root, leftovers)
	pods := &cluster{objects: map[plan.Key]*unstructured.Unstructured{}, before: func() {
		if out, err := exec.Command("curl", "-sf", "http://"+b.Address+":8080/ready").CombinedOutput(); err != nil {
			t.Errorf("web was written before db could serve: %v %s", err, out)
		}
	}}
	r := rollsOut(t, b, pods, mixed(t, b))

	r.until(t, "all is ready", isReady)
	web := pods.objects[plan.Key{GroupVersionKind: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Name: "web"}]
	if web == nil || !strings.Contains(string(must(web.MarshalJSON())), `"value":"db:8080"`) {
		t.Errorf("a pod finds the machine at %v", web)
	}
	slice := pods.objects[plan.Key{GroupVersionKind: schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}, Name: "db-hosts"}]
	if slice == nil || !strings.Contains(string(must(slice.MarshalJSON())), b.Address) {
		t.Errorf("the address of db leads to %v", slice)
	}
	r.writes = 0
	r.until(t, "nothing is to do", isReady)
	if r.writes > 0 {
		t.Errorf("a step that changes nothing wrote %d objects", r.writes)
	}

	r.task.Up["db"], r.task.Up["web"] = true, true
	ask(t, root, "systemctl stop $(ls /etc/systemd/system | grep ^spock-)")
	r.until(t, "what was stopped by hand is seen", func(o engine.Outcome) bool { return !isReady(o) })
	r.until(t, "what was stopped by hand runs again", isReady)

	b.cable(t, "down")
	r.until(t, "the machine is away", service("db", v1alpha1.ServiceFailed, string(Unreachable)))
	b.cable(t, "up")
	r.until(t, "the machine is back", isReady)

	r.takeDown(t)
	root = dial(t, b.login(t, "root")) // the other connection was cut
	if after := ask(t, root, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}
