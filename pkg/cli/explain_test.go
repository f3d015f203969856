package cli

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// layered sets values of orders and worker in three layers.
func layered(e *v1alpha1.Environment) {
	withImage(e)
	e.Spec.Services[0].Env = []v1alpha1.EnvVar{
		{Name: "BATCH", Value: ptr.To("50")},
		{Name: "PASSWORD", Secret: &v1alpha1.SecretKey{Name: "orders-db", Key: "password"}},
	}
	e.Spec.Run = &v1alpha1.RunLayer{Services: []v1alpha1.ServiceOverride{{Name: "worker", Image: "r/worker:9", Replicas: ptr.To[int32](3)}}}
}

func unknownParameter(e *v1alpha1.Environment) {
	withImage(e)
	e.Spec.Parameters = map[string]apiextensionsv1.JSON{"colour": {Raw: []byte(`"red"`)}}
}

// richProduct is the product with a secret and a parameter that class and product set.
func richProduct(t *testing.T) []runtime.Object {
	t.Helper()
	objects := product(t)
	size := func(n string) map[string]apiextensionsv1.JSON {
		return map[string]apiextensionsv1.JSON{"size": {Raw: []byte(n)}}
	}
	class, shop, server := objects[0].(*v1alpha1.EnvironmentClass), objects[1].(*v1alpha1.Product), objects[2].(*v1alpha1.ServiceTemplate)
	shop.Spec.Secrets = []v1alpha1.GeneratedSecret{{Name: "orders-db", Keys: []string{"password"}}}
	server.Spec.Parameters = []v1alpha1.Parameter{{Name: "size", Type: v1alpha1.ParameterInteger, Default: &apiextensionsv1.JSON{Raw: []byte("10")}}}
	shop.Spec.Groups[1].Services[0].Parameters = size("20")
	class.Spec.Services = []v1alpha1.ServiceOverride{{Name: "worker", Parameters: size("30")}}
	return objects
}

func TestExplain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  func(*v1alpha1.Environment)
		args []string
	}{
		"explain":          {layered, []string{"env", "explain", "shop"}},
		"explain-service":  {layered, []string{"env", "explain", "shop", "worker"}},
		"explain-yaml":     {layered, []string{"env", "explain", "shop", "orders", "-o", "yaml"}},
		"explain-misspelt": {layered, []string{"env", "explain", "shop", "order"}},
		"explain-invalid":  {unknownParameter, []string{"env", "explain", "shop"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t, append(richProduct(t), environment("shop", tc.env))...).run(tc.args...).golden(t, name)
		})
	}
}
