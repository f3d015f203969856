package render_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

// podSpec returns the pod spec of a service's only workload.
func podSpec(t *testing.T, s render.Service) corev1.PodSpec {
	t.Helper()
	if len(s.Workloads) != 1 {
		t.Fatalf("%s has %d workloads", s.Name, len(s.Workloads))
	}
	var workload appsv1.Deployment
	convert(t, s.Workloads[0], &workload)
	return workload.Spec.Template.Spec
}

func convert(t *testing.T, object *unstructured.Unstructured, into any) {
	t.Helper()
	raw, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, into); err != nil {
		t.Fatalf("%s/%s is not what Kubernetes knows: %v", object.GetKind(), object.GetName(), err)
	}
}

func TestPodsFollowTheirTemplate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(change)
		got    func(corev1.PodSpec) any
		want   any
	}{
		"root is allowed when asked for": {
			func(c change) { c.template("go-service").Container.RunAsUser = ptr.To[int64](0) },
			func(p corev1.PodSpec) any { return *p.SecurityContext },
			corev1.PodSecurityContext{RunAsUser: ptr.To[int64](0), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		},
		"another user is not root": {
			func(c change) { c.template("go-service").Container.RunAsUser = ptr.To[int64](7) },
			func(p corev1.PodSpec) any { return *p.SecurityContext },
			corev1.PodSecurityContext{RunAsUser: ptr.To[int64](7), RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		},
		"a probe of a number": {
			func(c change) { c.template("go-service").Readiness.HTTP.Port = ptr.To(intstr.FromInt32(99)) },
			func(p corev1.PodSpec) any { return p.Containers[0].ReadinessProbe.HTTPGet.Port.IntValue() }, 99,
		},
		"a probe of the root path": {
			func(c change) { c.template("go-service").Readiness.HTTP.Path = "" },
			func(p corev1.PodSpec) any { return p.Containers[0].ReadinessProbe.HTTPGet.Path }, "/",
		},
		"a probe by command": {
			func(c change) {
				c.template("go-service").Readiness = &v1alpha1.Readiness{Exec: &v1alpha1.ExecProbe{Command: []string{"ok"}}, PeriodSeconds: 9}
			},
			func(p corev1.PodSpec) any { return *p.Containers[0].ReadinessProbe },
			corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"ok"}}}, PeriodSeconds: 9, TimeoutSeconds: 2, FailureThreshold: 3},
		},
		"no probe without a way to probe": {
			func(c change) { c.template("go-service").Readiness = &v1alpha1.Readiness{MinReadySeconds: 4} },
			func(p corev1.PodSpec) any { return p.Containers[0].ReadinessProbe == nil }, true,
		},
		"an own volume at /tmp": {
			func(c change) {
				c.in.Environment.Spec.Services = nil
				c.template("go-service").Container.Volumes = []v1alpha1.Volume{{Name: "tmp", MountPath: "/tmp"}}
			},
			func(p corev1.PodSpec) any { return p.Containers[0].VolumeMounts[0] }, corev1.VolumeMount{Name: "volume-tmp", MountPath: "/tmp"},
		},
		"a node selector": {
			func(c change) { c.template("go-service").Container.NodeSelector = map[string]string{"a": "b"} },
			func(p corev1.PodSpec) any { return p.NodeSelector }, map[string]string{"a": "b"},
		},
		"a file name with odd letters": {
			func(c change) { c.template("go-service").Files[0].Path = "/etc/a b/ü c!.yaml" },
			func(p corev1.PodSpec) any { return p.Containers[0].VolumeMounts[1] },
			corev1.VolumeMount{Name: "files", MountPath: "/etc/a b/ü c!.yaml", SubPath: "0-_c_.yaml", ReadOnly: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			tc.change(change{t, &in})
			if diff := cmp.Diff(tc.want, tc.got(podSpec(t, rendered(t, in, "orders")))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWorkloadWithVolumesIsReplaced(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	c := change{t, &in}
	c.template("postgres").Container.Kind = ""
	var got appsv1.Deployment
	convert(t, rendered(t, in, "orders-db").Workloads[0], &got)
	if diff := cmp.Diff(appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}, got.Spec.Strategy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesFollowContent(t *testing.T) {
	t.Parallel()
	names := func(change func(change)) string {
		in := load(t, "shop")
		change(toChange(t, &in))
		orders, seed := rendered(t, in, "orders"), rendered(t, in, "seed")
		return fmt.Sprint(orders.Passive[0].GetName(), " ", orders.Hooks[0].Job.GetName(), " ", seed.Workloads[0].GetName())
	}
	before := strings.Fields(names(func(change) {}))
	for name, tc := range map[string]struct {
		change  func(change)
		differs [3]bool
	}{
		"nothing changes":          {func(change) {}, [3]bool{}},
		"a description changes":    {func(c change) { c.template("go-service").Description = "x" }, [3]bool{}},
		"a file changes":           {func(c change) { c.template("go-service").Files[0].Content += "x" }, [3]bool{true, true, false}},
		"a variable changes":       {func(c change) { c.env("x") }, [3]bool{false, true, false}},
		"the image of seed is new": {func(c change) { c.service("seed").Image += "2" }, [3]bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, got := range strings.Fields(names(tc.change)) {
				if (got != before[i]) != tc.differs[i] {
					t.Errorf("%s became %s, want another name: %v", before[i], got, tc.differs[i])
				}
			}
		})
	}
}

func toChange(t *testing.T, in *render.Input) change { return change{t, in} }

func TestTheLongestNamesFit(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	c := change{t, &in}
	name := strings.Repeat("s", 40)
	c.in.Environment.Spec.Services, c.in.Environment.Spec.Run = nil, nil
	c.template("cache").Container.Manifests = c.template("cache").Container.Manifests[1:]
	c.service("seed").Image = "registry.example.com/seed"
	c.template("seed").Container.Command = nil
	c.template("go-service").Hooks[0].Name = strings.Repeat("h", 20)
	c.service("orders").Name = name
	got := rendered(t, in, name)
	if job := got.Hooks[0].Job.GetName(); len(job) != 63 || !strings.HasPrefix(job, name+"-hhh") {
		t.Errorf("the job is called %q (%d characters)", job, len(job))
	}
}

func TestObjectsAreWhatKubernetesKnows(t *testing.T) {
	t.Parallel()
	kinds := map[string]func() any{
		"ConfigMap":             func() any { return &corev1.ConfigMap{} },
		"Service":               func() any { return &corev1.Service{} },
		"PersistentVolumeClaim": func() any { return &corev1.PersistentVolumeClaim{} },
		"Ingress":               func() any { return &networkingv1.Ingress{} },
		"Deployment":            func() any { return &appsv1.Deployment{} },
		"StatefulSet":           func() any { return &appsv1.StatefulSet{} },
		"Job":                   func() any { return &batchv1.Job{} },
	}
	out, err := render.Product(load(t, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range all(out) {
		if into, ok := kinds[object.GetKind()]; ok {
			convert(t, object, into())
		}
	}
}

// all are all objects of a rendering.
func all(out *render.Rendered) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	for _, s := range out.Services {
		objects = append(objects, s.Passive...)
		for _, hook := range s.Hooks {
			objects = append(objects, hook.Job)
		}
		objects = append(objects, s.Workloads...)
	}
	return objects
}

func TestAnOwnServiceIsNotDoubled(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	change{t, &in}.manifest("{apiVersion: v1, kind: Service, metadata: {name: cache}, spec: {ports: [{port: 1}]}}")
	if got := rendered(t, in, "cache").Passive; len(got) != 1 {
		t.Errorf("cache has %d passive objects, want its own Service alone", len(got))
	}
}

func TestOnlyNarrowsTheEnvironment(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	in.Environment.Spec.Only = []string{"orders", "orders-db"}
	change{t, &in}.service("orders").Needs = []v1alpha1.Need{{Group: "data"}}
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range out.Services {
		got = append(got, s.Name)
	}
	if diff := cmp.Diff([]string{"orders-db", "orders"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReferencesAreFoundEverywhere(t *testing.T) {
	t.Parallel()
	const text = "${services.cache.host}"
	for name, tc := range map[string]struct {
		change func(change)
		field  string
	}{
		"env":     {func(c change) { c.env(text) }, "env X"},
		"file":    {func(c change) { c.template("go-service").Files[0].Content = text }, "file /etc/app/config.yaml"},
		"command": {func(c change) { c.template("go-service").Container.Command = []string{"a", text} }, "container.command[1]"},
		"args":    {func(c change) { c.template("go-service").Container.Args = []string{text} }, "container.args[0]"},
		"hook":    {func(c change) { c.template("go-service").Hooks[0].Args = []string{text} }, "hook migrate args[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			tc.change(change{t, &in})
			want := []render.Reference{
				{Service: "orders-db", Field: inOrders + `template "go-service" env DB_URL`},
				{Service: "cache", Field: inOrders + `template "go-service" ` + tc.field},
			}
			if diff := cmp.Diff(want, rendered(t, in, "orders").References); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALiteralFileAndItselfAreNoReferences(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	c := change{t, &in}
	c.template("go-service").Files[1].Content = "${services.cache.host}"
	c.env("${services.orders.host}")
	want := []render.Reference{{Service: "orders-db", Field: inOrders + `template "go-service" env DB_URL`}}
	if diff := cmp.Diff(want, rendered(t, in, "orders").References); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
