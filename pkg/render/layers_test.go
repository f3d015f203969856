package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

// layers adds one layer after the other, weakest first.
var layers = []struct {
	name render.Layer
	set  func(change)
}{
	{render.LayerTemplate, func(change) {}},
	{render.LayerProduct, func(c change) {
		s := c.service("orders-db")
		s.Image, s.Replicas, s.Env = "registry.example.com/product", ptr.To[int32](0), variable("Product")
		s.Parameters = values("database", `"Product"`)
	}},
	{render.LayerClass, func(c change) {
		c.in.Class.Spec.Parameters = values("database", `"general Class"`)
		c.in.Class.Spec.Services = []v1alpha1.ServiceOverride{override("Class", "registry.example.com/class", 1)}
	}},
	{render.LayerEnvironment, func(c change) {
		c.in.Environment.Spec.Parameters = values("database", `"general Environment"`)
		c.in.Environment.Spec.Services = []v1alpha1.ServiceOverride{override("Environment", "registry.example.com/environment", 0)}
	}},
	{render.LayerRun, func(c change) { c.run(override("Run", "registry.example.com/run", 1)) }},
}

func override(text, image string, replicas int32) v1alpha1.ServiceOverride {
	return v1alpha1.ServiceOverride{
		Name: "orders-db", Image: image, Replicas: &replicas, Env: variable(text), Parameters: values("database", `"`+text+`"`),
	}
}

func variable(value string) []v1alpha1.EnvVar {
	return []v1alpha1.EnvVar{{Name: "POSTGRES_DB", Value: &value}}
}

func TestTheStrongestLayerWins(t *testing.T) {
	t.Parallel()
	for strongest, layer := range layers {
		t.Run(string(layer.name), func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			in.Environment.Spec.Only = []string{"orders-db"}
			for _, weaker := range layers[:strongest+1] {
				weaker.set(change{t, &in})
			}
			text, image := string(layer.name), "registry.example.com/"+strings.ToLower(string(layer.name))
			if layer.name == render.LayerTemplate {
				text, image = "app", "registry.example.com/postgres:15"
			}
			replicas := map[render.Layer]int64{render.LayerTemplate: 1, render.LayerClass: 1, render.LayerRun: 1}[layer.name]
			want := []render.Value{
				{Name: "params.database", Value: text, Layer: layer.name},
				{Name: "params.size", Value: "1Gi", Layer: render.LayerTemplate},
				{Name: "image", Value: image, Layer: layer.name},
				{Name: "replicas", Value: replicas, Layer: layer.name},
				{Name: "env.POSTGRES_DB", Value: text, Layer: layer.name},
				{Name: "env.POSTGRES_PASSWORD", Value: "secret db-password/password", Layer: render.LayerTemplate},
			}
			if diff := cmp.Diff(want, rendered(t, in, "orders-db").Values); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGeneralParameters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(change)
		want   render.Value
	}{
		"of a class are weaker than its services": {func(c change) {
			c.in.Class.Spec.Parameters = values("workers", "7")
			c.in.Class.Spec.Services = []v1alpha1.ServiceOverride{{Name: "orders", Parameters: values("workers", "8")}}
			c.in.Environment.Spec.Services = nil
		}, render.Value{Name: "params.workers", Value: int64(8), Layer: render.LayerClass}},
		"of an environment are stronger than a class's services": {func(c change) {
			c.in.Class.Spec.Services = []v1alpha1.ServiceOverride{{Name: "orders", Parameters: values("workers", "8")}}
			c.in.Environment.Spec.Services = nil
			c.in.Environment.Spec.Parameters = values("workers", "9")
		}, render.Value{Name: "params.workers", Value: int64(9), Layer: render.LayerEnvironment}},
		"may be declared by the template of a service that is left out": {func(c change) {
			c.in.Environment.Spec.Parameters = values("instances", "4")
			c.in.Environment.Spec.Only = []string{"orders", "orders-db"}
			c.service("orders").Needs = nil
		}, render.Value{Name: "params.workers", Value: int64(5), Layer: render.LayerEnvironment}},
		"given as text are read by their type": {func(c change) {
			c.run(v1alpha1.ServiceOverride{Name: "orders", Parameters: values("workers", `"12"`)})
		}, render.Value{Name: "params.workers", Value: int64(12), Layer: render.LayerRun}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			tc.change(change{t, &in})
			for _, got := range rendered(t, in, "orders").Values {
				if got.Name == tc.want.Name {
					if diff := cmp.Diff(tc.want, got); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					return
				}
			}
			t.Errorf("there is no value %s", tc.want.Name)
		})
	}
}

func TestParameterTypes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind v1alpha1.ParameterType
		raw  string
		want any
	}{
		"text":                        {v1alpha1.ParameterString, `"a b"`, "a b"},
		"no type is text":             {"", `"x"`, "x"},
		"empty text":                  {v1alpha1.ParameterString, `""`, ""},
		"an integer":                  {v1alpha1.ParameterInteger, `-3`, int64(-3)},
		"the largest integer":         {v1alpha1.ParameterInteger, `9223372036854775807`, int64(9223372036854775807)},
		"an integer as text":          {v1alpha1.ParameterInteger, `"3"`, int64(3)},
		"a boolean":                   {v1alpha1.ParameterBoolean, `false`, false},
		"a boolean as text":           {v1alpha1.ParameterBoolean, `"true"`, true},
		"a quantity":                  {v1alpha1.ParameterQuantity, `"1.5Gi"`, "1.5Gi"},
		"a quantity that is a number": {v1alpha1.ParameterQuantity, `2`, "2"},
		"an enum":                     {v1alpha1.ParameterEnum, `"b"`, "b"},
		"an image by digest":          {v1alpha1.ParameterImage, `"localhost:5000/app@sha256:` + strings.Repeat("0", 64) + `"`, "localhost:5000/app@sha256:" + strings.Repeat("0", 64)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			change{t, &in}.parameter("seed", v1alpha1.Parameter{Name: "p", Type: tc.kind, Values: []string{"a", "b"}, Default: ptr.To(raw(tc.raw))})
			want := render.Value{Name: "params.p", Value: tc.want, Layer: render.LayerTemplate}
			if diff := cmp.Diff(want, rendered(t, in, "seed").Values[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// rendered renders the input and returns one of its services.
func rendered(t testing.TB, in render.Input, name string) render.Service {
	t.Helper()
	out, err := render.Product(in)
	if err != nil {
		t.Fatalf("rendering: %v", err)
	}
	for _, service := range out.Services {
		if service.Name == name {
			return service
		}
	}
	t.Fatalf("service %q is not rendered", name)
	return render.Service{}
}
