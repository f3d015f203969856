package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// product returns the objects of testdata/plan/product.yaml.
func product(t *testing.T) []runtime.Object {
	t.Helper()
	text, err := os.ReadFile("testdata/plan/product.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects := []runtime.Object{&v1alpha1.EnvironmentClass{}, &v1alpha1.Product{}, &v1alpha1.ServiceTemplate{}}
	for i, document := range strings.Split(string(text), "---\n") {
		if err := yaml.UnmarshalStrict([]byte(document), objects[i]); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

func withImage(e *v1alpha1.Environment) {
	e.Spec.Services = []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders:1"}}
}

// written returns the objects of the environment's plan as a rollout leaves them, each
// passed through change, which may drop it with nil.
func (w *world) written(t *testing.T, env *v1alpha1.Environment, change func(*unstructured.Unstructured) *unstructured.Unstructured) []runtime.Object {
	t.Helper()
	cluster, err := w.connect(Connection{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := cluster.compute(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	var out []runtime.Object
	keep := func(o *unstructured.Unstructured) {
		if o = change(o.DeepCopy()); o != nil {
			out = append(out, o)
		}
	}
	for _, o := range p.Passive {
		keep(o.Desired)
	}
	for _, n := range p.Nodes {
		for _, o := range n.Objects {
			keep(o.Desired)
		}
	}
	return out
}

func asItIs(o *unstructured.Unstructured) *unstructured.Unstructured { return o }

func annotated(o *unstructured.Unstructured, key, value string) *unstructured.Unstructured {
	annotations := o.GetAnnotations()
	annotations[key] = value
	o.SetAnnotations(annotations)
	return o
}

func renamedTo(o *unstructured.Unstructured, name string) *unstructured.Unstructured {
	o.SetName(name)
	return o
}

// digests are what changes with every detail of what is rendered: no matter here.
var digests = regexp.MustCompile(`[0-9a-f]{64}|-[0-9a-f]{8}\b`)

func masked(r run) run {
	r.out = digests.ReplaceAllStringFunc(r.out, func(s string) string { return s[:len(s)%2] + strings.Repeat("x", len(s)/2*2) })
	return r
}

// drifted is a cluster in which one object is missing, one is of an older revision, one
// is somebody else's, one is going, and one is not wanted any more.
func drifted(o *unstructured.Unstructured) *unstructured.Unstructured {
	switch o.GetKind() + "/" + o.GetName() {
	case "Service/postgres":
		return nil
	case "Service/worker":
		return renamedTo(o, "old-worker")
	case "Deployment/orders":
		return older(annotated(o, v1alpha1.AnnotationHash, "older"))
	case "Service/orders":
		return annotated(o, v1alpha1.AnnotationEnvironmentUID, "another")
	case "Deployment/postgres":
		o.SetDeletionTimestamp(&metav1.Time{Time: now})
	}
	return o
}

// older is the Deployment of orders as an older revision has left it: another image, one
// replica more than now, and a variable that is no longer wanted.
func older(o *unstructured.Unstructured) *unstructured.Unstructured {
	spec := o.Object["spec"].(map[string]any)
	spec["replicas"] = int64(3)
	pod := spec["template"].(map[string]any)["spec"].(map[string]any)
	container := pod["containers"].([]any)[0].(map[string]any)
	container["image"] = "r/orders:0"
	env, _ := container["env"].([]any)
	container["env"] = append(env, map[string]any{"name": "OLD", "value": "1"}, map[string]any{"name": "INJECTED", "value": "2"})
	fields := `{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"orders\"}":{"f:env":{"k:{\"name\":\"OLD\"}":{"f:value":{}}},"f:image":{}}}}}}}`
	o.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: v1alpha1.FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)},
	}})
	return o
}

func TestPlan(t *testing.T) {
	t.Parallel()
	env := environment("shop", ready, withImage)
	w := newWorld(t, append(product(t), env)...)
	same, drift := w.written(t, env, asItIs), w.written(t, env, drifted)
	tests := map[string]struct {
		live []runtime.Object
		args []string
	}{
		"plan-first":      {nil, []string{"env", "plan", "shop", "--exit-code"}},
		"plan-file":       {same, []string{"env", "plan", "-f", "testdata/plan/environment.yaml", "--exit-code"}},
		"plan-nothing":    {same, []string{"env", "plan", "shop", "--exit-code"}},
		"plan-drifted":    {drift, []string{"env", "plan", "shop", "--exit-code"}},
		"plan-drifted-ok": {drift, []string{"env", "plan", "shop"}},
		"plan-json":       {drift, []string{"env", "plan", "shop", "-o", "json", "--exit-code"}},
		"plan-yaml":       {same, []string{"env", "plan", "shop", "-o", "yaml"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, append(product(t), env)...)
			w.dynamic = tt.live
			masked(w.run(tt.args...)).golden(t, name)
		})
	}
}

func TestPlanOfAnEnvironmentThatIsOnlyInAFile(t *testing.T) {
	t.Parallel()
	masked(newWorld(t, product(t)...).run("env", "plan", "-f", "testdata/plan/environment.yaml")).golden(t, "plan-new")
}

func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, append(product(t), environment("shop", ready, withImage))...)
	w.run("env", "plan", "shop")
	for _, action := range w.spock.Actions() {
		if verb := action.GetVerb(); verb != "get" && verb != "list" {
			t.Errorf("the plan made the call %v", action)
		}
	}
}

func TestPlanOfASpecThatIsWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*v1alpha1.Environment){
		"plan-invalid":    func(e *v1alpha1.Environment) { e.Spec.Only = []string{"orders", "postgers"} },
		"plan-no-product": func(e *v1alpha1.Environment) { e.Spec.Product = "bank" },
		"plan-no-class":   func(e *v1alpha1.Environment) { e.Spec.Class = "prod" },
		"plan-suspended":  func(e *v1alpha1.Environment) { withImage(e); suspended(e) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			masked(newWorld(t, append(product(t), environment("shop", change))...).run("env", "plan", "shop")).golden(t, name)
		})
	}
}

func TestAClaimIsNeverPlannedAway(t *testing.T) {
	t.Parallel()
	env := environment("shop", ready, withImage)
	w := newWorld(t, append(product(t), env)...)
	claim := &unstructured.Unstructured{}
	claim.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"))
	claim.SetName("old-data")
	claim.SetNamespace("team-a-shop")
	claim.SetLabels(map[string]string{v1alpha1.LabelEnvironment: "shop", v1alpha1.LabelEnvironmentNamespace: "team-a"})
	claim.SetAnnotations(map[string]string{v1alpha1.AnnotationEnvironmentUID: string(env.UID)})
	w.dynamic = append(w.written(t, env, asItIs), claim)
	if got := w.run("env", "plan", "shop", "--exit-code"); got.code != ExitOK || strings.Contains(got.out, "old-data") {
		t.Errorf("exit %d, stdout:\n%s", got.code, got.out)
	}
}

// A plan of a deploy is that of the environment which the deploy makes, by its digest too.
func TestAPlanWithTheFlagsOfADeploy(t *testing.T) {
	t.Parallel()
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	plan := func(change func(*v1alpha1.Environment), args ...string) string {
		w := newWorld(t, append(product(t), environment("shop", ready, withImage, change))...)
		r := w.run(append([]string{"env", "plan"}, args...)...)
		if r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.err)
		}
		return digest.FindString(r.out)
	}
	with := func(e *v1alpha1.Environment) {
		e.Spec.Run = &v1alpha1.RunLayer{Services: []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders:2"}}}
	}
	none := func(*v1alpha1.Environment) {}
	if asked, made := plan(none, "shop", "--image", "orders=r/orders:2"), plan(with, "shop"); asked != made || asked == plan(none, "shop") {
		t.Errorf("the plan of the deploy is %s, that of what it makes is %s", asked, made)
	}
	if before, after := plan(none, "fresh", "--product", "shop", "--class", "dev", "--image", "orders=r/orders:2"), plan(with, "shop"); before == "" || before == after {
		t.Errorf("the plans of two environments are %q and %q", before, after)
	}
}

func TestAPlanKnowsWhatRunsOnMachines(t *testing.T) {
	t.Parallel()
	objects := append(product(t), aHost("db1", reachable))
	for _, o := range objects {
		if template, ok := o.(*v1alpha1.ServiceTemplate); ok {
			template.Spec.Container, template.Spec.Host, template.Spec.Hooks = nil, &v1alpha1.HostProcess{}, nil
		}
	}
	env := environment("shop", ready, func(e *v1alpha1.Environment) { e.Spec.Only = []string{"postgres"} })
	w := newWorld(t, append(objects, env)...)
	r := w.run("env", "plan", "shop")
	cluster, err := w.connect(Connection{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := cluster.compute(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	run := &v1alpha1.EnvironmentRun{ObjectMeta: metav1.ObjectMeta{Name: env.Status.Run, Namespace: env.Namespace}, Spec: v1alpha1.EnvironmentRunSpec{PlanDigest: made.Digest}}
	if run.Spec.Snapshot, err = made.Snapshot(); err != nil {
		t.Fatal(err)
	}
	if err := w.spock.Tracker().Add(run); err != nil {
		t.Fatal(err)
	}
	after := w.run("env", "plan", "shop")
	line := regexp.MustCompile(`(?m)^.*HostService/postgres-0.*$`)
	if before, now := line.FindString(r.out), line.FindString(after.out); !strings.Contains(before, "created") || !strings.Contains(now, "unchanged") {
		t.Errorf("the line of the service was %q, and is %q", before, now)
	}
}
