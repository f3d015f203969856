package render_test

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

// change is an input under a test's hands; the names are those of testdata/shop.
type change struct {
	t  testing.TB
	in *render.Input
}

func (c change) service(name string) *v1alpha1.ProductService {
	c.t.Helper()
	for i := range c.in.Product.Spec.Groups {
		group := &c.in.Product.Spec.Groups[i]
		for j := range group.Services {
			if group.Services[j].Name == name {
				return &group.Services[j]
			}
		}
	}
	c.t.Fatalf("the product of the test has no service %q", name)
	return nil
}

func (c change) template(name string) *v1alpha1.ServiceTemplateSpec {
	c.t.Helper()
	template, ok := c.in.Templates[name]
	if !ok {
		c.t.Fatalf("the test has no template %q", name)
	}
	return &template.Spec
}

// parameter declares another parameter of a template.
func (c change) parameter(template string, p v1alpha1.Parameter) {
	c.t.Helper()
	spec := c.template(template)
	spec.Parameters = append(spec.Parameters, p)
}

// env gives orders the variable X.
func (c change) env(value string) {
	c.t.Helper()
	spec := c.template("go-service")
	spec.Env = append(spec.Env, v1alpha1.EnvVar{Name: "X", Value: &value})
}

// manifest gives cache this manifest and nothing else.
func (c change) manifest(text string) {
	c.t.Helper()
	c.template("cache").Container.Manifests = []string{text}
}

func (c change) run(overrides ...v1alpha1.ServiceOverride) {
	c.in.Environment.Spec.Run = &v1alpha1.RunLayer{Services: overrides}
}

func raw(text string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(text)} }

func values(name, text string) map[string]apiextensionsv1.JSON {
	return map[string]apiextensionsv1.JSON{name: raw(text)}
}
