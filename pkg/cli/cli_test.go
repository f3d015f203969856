package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tektonfake "github.com/tektoncd/pipeline/pkg/client/clientset/versioned/fake"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
	"spock.dev/spock/pkg/target/kube"
)

var update = flag.Bool("update", false, "write the golden files and the documentation")

// now is when all tests run.
var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// world is a cluster in memory and a person at a terminal.
type world struct {
	spock   *fake.Clientset
	kube    *kubefake.Clientset
	tekton  *tektonfake.Clientset
	dynamic []runtime.Object
	stdin   string
	color   bool
	name    string
	ctx     context.Context
	out     io.Writer // besides the golden ones
	err     io.Writer
	// machines answer in place of real ones.
	machines Machines
	browse   Browse
	exec     PodExec
	clock    *clocktesting.FakeClock
	screen   Screen
}

func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	return &world{spock: fake.NewSimpleClientset(objects...), kube: kubefake.NewClientset(), tekton: tektonfake.NewSimpleClientset(), name: "spock", clock: clocktesting.NewFakeClock(now), ctx: t.Context(), out: io.Discard, err: io.Discard}
}

// run is what a command has printed, and its exit code.
type run struct {
	args     []string
	out, err string
	code     int
}

func (w *world) run(args ...string) run {
	var out, err bytes.Buffer
	config := Config{
		Name: w.name, Version: "spock v1.2.3", Clock: w.clock, Connect: w.connect,
		Machines: w.machines, Browse: w.browse,
		Streams: Streams{In: strings.NewReader(w.stdin), Out: io.MultiWriter(&out, w.out), Err: io.MultiWriter(&err, w.err), ColorOut: w.color, ColorErr: w.color, Screen: w.screen},
	}
	code := Execute(w.ctx, config, args)
	return run{args: args, out: out.String(), err: err.String(), code: code}
}

func (w *world) connect(c Connection) (*Cluster, error) {
	if c.Context == "nowhere" {
		return nil, fmt.Errorf("dial tcp 127.0.0.1:6443: connect: connection refused")
	}
	namespace := c.Namespace
	if namespace == "" {
		namespace = "team-a"
	}
	mapper, lists := meta.NewDefaultRESTMapper(nil), map[schema.GroupVersionResource]string{}
	for _, kind := range append(kube.Usual(), discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice")) {
		mapper.Add(kind, meta.RESTScopeNamespace)
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return nil, err
		}
		lists[mapping.Resource] = kind.Kind + "List"
	}
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, w.dynamic...)
	return &Cluster{Namespace: namespace, Spock: w.spock, Kube: w.kube, Tekton: w.tekton, Exec: w.exec, Dynamic: dynamic, Mapper: mapper}, nil
}

// golden compares what a person saw with testdata/NAME.txt.
func (r run) golden(t *testing.T, name string) {
	t.Helper()
	text := fmt.Sprintf("$ spock %s\n%s", strings.Join(r.args, " "), r.out)
	if r.err != "" {
		text += "--- stderr\n" + r.err
	}
	text += fmt.Sprintf("--- exit %d\n", r.code)
	same(t, filepath.Join("testdata", name+".txt"), text)
}

func same(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
	}
}

// environment is a stored Environment of product shop, of generation 2.
func environment(name string, change ...func(*v1alpha1.Environment)) *v1alpha1.Environment {
	e := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "team-a", UID: "uid-of-shop", Generation: 2, CreationTimestamp: metav1.NewTime(now.Add(-3 * time.Hour)),
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "spock-deploy"}},
	}}
	e.Spec = v1alpha1.EnvironmentSpec{Product: "shop", Class: "dev", Run: &v1alpha1.RunLayer{Source: "0a1b2c"}}
	e.Status.ObservedGeneration = 2
	e.Status.Namespace, e.Status.Run, e.Status.RunNumber = "team-a-"+name, name+"-4", 4
	for _, c := range change {
		c(e)
	}
	for i := range e.Status.Conditions { // the marks read the clock of the machine
		e.Status.Conditions[i].LastTransitionTime = apis.VolatileTime{Inner: metav1.NewTime(second(66).Time)}
	}
	return e
}

func second(n float64) *metav1.MicroTime {
	at := metav1.NewMicroTime(now.Add(-5*time.Minute + time.Duration(n*float64(time.Second))))
	return &at
}

func service(group, name string, state v1alpha1.ServiceState, change ...func(*v1alpha1.ServiceStatus)) v1alpha1.ServiceStatus {
	s := v1alpha1.ServiceStatus{
		Group: group, Name: name, State: state,
		Image: "registry.example.com/shop/" + name + "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func took(from, to float64) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) { s.StartedAt, s.ReadyAt = second(from), second(to) }
}

func since(from float64, message string) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) { s.StartedAt, s.Message = second(from), message }
}

func waits(names ...string) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) {
		s.WaitingFor, s.Message = names, "waits for "+strings.Join(names, ", ")
	}
}

func blocked(names ...string) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) {
		s.WaitingFor, s.Message = names, "blocked by "+strings.Join(names, ", ")
	}
}

// pod is a pod of a service of environment shop that has printed something.
func pod(service, name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "team-a-shop", UID: "uid-of-pod", Labels: map[string]string{
			v1alpha1.LabelEnvironment: "shop", v1alpha1.LabelEnvironmentNamespace: "team-a", v1alpha1.LabelService: service,
		},
	}}
	p.Spec.Containers = []corev1.Container{{Name: service}}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: service, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	for _, c := range change {
		c(p)
	}
	return p
}
