package render_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/expr"
	"spock.dev/spock/pkg/render"
)

// pool holds pieces of an input: right ones, and ones that are wrong at least somewhere.
type pool[T any] struct{ right, wrong []T }

var (
	names = pool[string]{[]string{"a", "b", "c-d", "e"}, []string{"", "X_y", strings.Repeat("l", 41)}}
	texts = pool[string]{
		[]string{"", "text", "$${x}", "${params.p}", "${params.q}", "${services.a.host}", "${has(services.a.url)}", "${environment.name}-${service.name}", "$(A)", "ü"},
		[]string{"${params.q + 1}", "${services['c-d'].port}", "${services.b.url}", "${services[params.p].host}", "${", "${}", "${1/0}", "${[", "${service.image}", "\x00"},
	}
	jsons  = pool[string]{[]string{`"a"`, `"1"`}, []string{"", "null", "1", "-1.5", "true", `"b"`, "[", "{}", `"`, "1e9"}}
	images = pool[string]{[]string{"", "app:1", "app@sha256:" + strings.Repeat("0", 64)}, []string{"BAD", "a b", "${params.p}:1"}}
	types  = pool[v1alpha1.ParameterType]{[]v1alpha1.ParameterType{"", "string"}, []v1alpha1.ParameterType{"integer", "boolean", "quantity", "enum", "image", "odd"}}
	yamls  = pool[string]{
		[]string{"", "{apiVersion: v1, kind: ConfigMap, metadata: {name: '${service.name}-x'}, data: {a: '${params.p}'}}",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: '${service.name}'}, spec: {x: '${params.q}', y: null}}"},
		[]string{"a: [", "- 1", "{apiVersion: v1, kind: Secret, metadata: {name: a}}", "{apiVersion: v1, kind: Pod, metadata: 1}",
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: 1}}"},
	}
)

// draw draws inputs; only wild ones have wrong pieces.
type draw struct {
	*rapid.T
	wild bool
}

func pick[T any](d draw, p pool[T], label string) T {
	if d.wild {
		return rapid.SampledFrom(append(append([]T(nil), p.right...), p.wrong...)).Draw(d.T, label)
	}
	return rapid.SampledFrom(p.right).Draw(d.T, label)
}

func (d draw) chance(label string) bool { return rapid.Bool().Draw(d.T, label) }

// mishap is a chance that only wild inputs have.
func (d draw) mishap(label string) bool { return d.wild && rapid.IntRange(0, 5).Draw(d.T, label) == 0 }

func (d draw) upTo(most int, label string) int { return rapid.IntRange(0, most).Draw(d.T, label) }

func (d draw) parameters(label string) map[string]apiextensionsv1.JSON {
	out := map[string]apiextensionsv1.JSON{}
	for _, name := range []string{"p", "q"} {
		if d.chance(label + " sets " + name) {
			out[name] = raw(pick(d, jsons, label))
		}
	}
	if d.mishap(label + " is unknown") {
		out["r"] = raw("1")
	}
	return out
}

func (d draw) env(label string) []v1alpha1.EnvVar {
	var out []v1alpha1.EnvVar
	for i := range d.upTo(2, label) {
		v := v1alpha1.EnvVar{Name: fmt.Sprintf("V%d", i)}
		switch {
		case d.mishap(label + " has nothing"):
		case d.chance(label + " is secret"):
			v.Secret = &v1alpha1.SecretKey{Name: "s", Key: "k"}
		default:
			v.Value = ptr.To(pick(d, texts, label))
		}
		out = append(out, v)
	}
	return out
}

// overrides never speak of b, whose template may bring manifests.
func (d draw) overrides(label string) []v1alpha1.ServiceOverride {
	o := v1alpha1.ServiceOverride{Name: "a", Image: pick(d, images, label+" image"), Parameters: d.parameters(label), Env: d.env(label)}
	if d.wild {
		o.Name, o.Replicas = pick(d, names, label), rapid.Ptr(rapid.Int32Range(-1, 3), true).Draw(d.T, label+" replicas")
	}
	return []v1alpha1.ServiceOverride{o}
}

func (d draw) template(name string) *v1alpha1.ServiceTemplate {
	spec := v1alpha1.ServiceTemplateSpec{Container: d.container(name)}
	for _, p := range []string{"p", "q"} {
		if !d.mishap(name + " lacks " + p) {
			spec.Parameters = append(spec.Parameters, v1alpha1.Parameter{
				Name: p, Type: pick(d, types, name+" type"), Values: []string{"a", "1"}, Default: ptr.To(raw(pick(d, jsons, name+" default"))),
			})
		}
	}
	for i := range 1 + d.upTo(1, name+" ports") {
		if !d.mishap(name + " lacks a port") {
			spec.Ports = append(spec.Ports, v1alpha1.Port{Name: fmt.Sprintf("p%d", i), Port: int32(1 + i)})
		}
	}
	if d.chance(name + " has a hook") {
		spec.Hooks = []v1alpha1.Hook{{Name: "h", Args: []string{pick(d, texts, name+" hook")}}}
	}
	if spec.Container == nil || len(spec.Container.Manifests) == 0 || d.wild {
		spec.Env = d.env(name)
		spec.Readiness = &v1alpha1.Readiness{HTTP: &v1alpha1.HTTPProbe{}}
		for i := range d.upTo(2, name+" files") {
			spec.Files = append(spec.Files, v1alpha1.ConfigFile{Path: fmt.Sprintf("/f%d", i), Content: pick(d, texts, name+" file")})
		}
	}
	return &v1alpha1.ServiceTemplate{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

func (d draw) container(name string) *v1alpha1.Container {
	if d.mishap(name + " has no container") {
		return nil
	}
	c := &v1alpha1.Container{Image: "template:1"}
	if d.wild {
		c.Image = pick(d, images, name+" image")
	}
	if name == "manifests" {
		c.Manifests = []string{pick(d, yamls, name)}
		return c
	}
	c.Kind = rapid.SampledFrom([]v1alpha1.WorkloadKind{"", "Deployment", "StatefulSet", "Job"}).Draw(d.T, name+" kind")
	if d.chance(name + " has a volume") {
		c.Volumes = []v1alpha1.Volume{{Name: "v", MountPath: "/v"}}
	}
	return c
}

func (d draw) input() render.Input {
	in := render.Input{
		Product:     &v1alpha1.Product{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		Templates:   map[string]*v1alpha1.ServiceTemplate{"process": d.template("process"), "manifests": d.template("manifests")},
		Class:       &v1alpha1.EnvironmentClass{Spec: v1alpha1.EnvironmentClassSpec{Domain: "example:80", Parameters: d.parameters("class")}},
		Environment: &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "team"}},
		Namespace:   "team-demo",
	}
	in.Product.Spec.Secrets = []v1alpha1.GeneratedSecret{{Name: "s", Keys: []string{"k"}}}
	in.Product.Spec.Groups = []v1alpha1.Group{
		{Name: "g", Services: []v1alpha1.ProductService{d.service("a", "process"), d.service("b", "manifests")}},
		{Name: "h", Services: []v1alpha1.ProductService{d.service("c-d", "process")}},
	}
	if d.mishap("group is empty") {
		in.Product.Spec.Groups[1].Services = nil
	}
	in.Class.Spec.Services = d.overrides("class service")
	in.Environment.Spec = v1alpha1.EnvironmentSpec{Parameters: d.parameters("environment"), Services: d.overrides("environment service")}
	if d.wild {
		in.Environment.Spec.Only = rapid.SliceOfN(rapid.SampledFrom(names.right), 0, 2).Draw(d.T, "only")
	}
	if d.chance("has a run") {
		in.Environment.Spec.Run = &v1alpha1.RunLayer{Services: d.overrides("run")}
	}
	return in
}

func (d draw) service(name, template string) v1alpha1.ProductService {
	s := v1alpha1.ProductService{Name: name, Template: template, Image: pick(d, images, name+" image"), Parameters: d.parameters(name)}
	if d.mishap(name + " is misnamed") {
		s.Name, s.Template = pick(d, names, name), "none"
	}
	if template == "process" {
		s.Env = d.env(name)
	}
	if d.chance(name + " is exposed") {
		s.Expose = &v1alpha1.Expose{}
	}
	if d.chance(name + " needs") {
		s.Needs = []v1alpha1.Need{{Service: "a"}, {Group: "g", Soft: true}}
	}
	return s
}

// Whatever the input is: no panic, the same answer twice, an input left alone, and
// either reasons or objects that are labelled, in the namespace and free of nulls.
func TestRenderingIsTotalAndDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wild := rapid.Bool().Draw(t, "wild")
		in := draw{t, wild}.input()
		before := clone(in)
		first, firstErr := render.Product(in)
		second, secondErr := render.Product(in)
		if fmt.Sprint(firstErr) != fmt.Sprint(secondErr) {
			t.Fatalf("two reasons:\n%v\n\n%v", firstErr, secondErr)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("two renderings (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(before, in); diff != "" {
			t.Fatalf("the input was changed:\n%s", diff)
		}
		var e *render.Error
		if firstErr != nil && (first != nil || !errors.As(firstErr, &e)) {
			t.Fatalf("a rendering beside its error, or an error without a field: %v", firstErr)
		}
		if !wild && firstErr != nil {
			t.Fatalf("an input of right pieces was refused: %v", firstErr)
		}
		checkObjects(t, in, first)
	})
}

func clone(in render.Input) render.Input {
	out := render.Input{
		Product: in.Product.DeepCopy(), Class: in.Class.DeepCopy(), Environment: in.Environment.DeepCopy(),
		Templates: map[string]*v1alpha1.ServiceTemplate{}, Namespace: in.Namespace,
	}
	for name, template := range in.Templates {
		out.Templates[name] = template.DeepCopy()
	}
	return out
}

func checkObjects(t *rapid.T, in render.Input, out *render.Rendered) {
	if out == nil {
		return
	}
	for _, object := range all(out) {
		text := asJSON(t, object.Object)
		if object.GetNamespace() != in.Namespace || object.GetLabels()[v1alpha1.LabelService] == "" ||
			strings.Contains(text, ":null") || object.Object["status"] != nil {
			t.Fatalf("not fit to apply: %s", text)
		}
	}
}

func asJSON(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEscapedTextReachesTheProcess(t *testing.T) {
	t.Parallel()
	base := load(t, "shop")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(`${}'" x`+"\n"))).Draw(t, "text")
		in := base
		template := base.Templates["seed"].DeepCopy()
		template.Spec.Env = []v1alpha1.EnvVar{{Name: "X", Value: ptr.To(expr.Escape(text))}}
		in.Templates = map[string]*v1alpha1.ServiceTemplate{"seed": template}
		for name, other := range base.Templates {
			if name != "seed" {
				in.Templates[name] = other
			}
		}
		out, err := render.Product(in)
		if err != nil {
			t.Fatalf("rendering %q: %v", text, err)
		}
		values := out.Services[len(out.Services)-1].Values
		if got := values[len(values)-1]; got.Name != "env.X" || got.Value != text {
			t.Fatalf("%q became %v", text, got)
		}
	})
}
