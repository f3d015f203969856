package plan

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

func raw(text string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(text)} }

// checked is a product of two services of one template.
func checked(change func(*v1alpha1.Product, *v1alpha1.ServiceTemplate)) error {
	template := &v1alpha1.ServiceTemplate{ObjectMeta: metav1.ObjectMeta{Name: "go"}, Spec: v1alpha1.ServiceTemplateSpec{
		Ports: []v1alpha1.Port{{Name: "http", Port: 8080}}, Container: &v1alpha1.Container{},
	}}
	product := &v1alpha1.Product{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "team-a"}, Spec: v1alpha1.ProductSpec{Groups: []v1alpha1.Group{
		{Name: "backend", Services: []v1alpha1.ProductService{{Name: "orders", Template: "go"}, {Name: "web", Template: "go"}}},
	}}}
	change(product, template)
	_, err := Check(render.Draft(product, map[string]*v1alpha1.ServiceTemplate{"go": template}))
	return err
}

func TestWhatAnEnvironmentMaySayIsNotMissing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.Product, *v1alpha1.ServiceTemplate){
		"an image": func(*v1alpha1.Product, *v1alpha1.ServiceTemplate) {},
		"a domain, and a host": func(p *v1alpha1.Product, _ *v1alpha1.ServiceTemplate) {
			p.Spec.Groups[0].Services[0].Expose = &v1alpha1.Expose{}
		},
		"a parameter of each type": func(_ *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			for _, kind := range []v1alpha1.ParameterType{"string", "integer", "boolean", "quantity", "image"} {
				t.Spec.Parameters = append(t.Spec.Parameters, v1alpha1.Parameter{Name: string(kind), Type: kind})
			}
			t.Spec.Parameters = append(t.Spec.Parameters, v1alpha1.Parameter{Name: "one", Type: v1alpha1.ParameterEnum, Values: []string{"a"}})
		},
		"what is made of a parameter": func(_ *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			t.Spec.Parameters = []v1alpha1.Parameter{{Name: "hosts", Type: v1alpha1.ParameterString}}
			t.Spec.Container.Args = []string{"${params.hosts.split(',')[1]}"}
			t.Spec.Container.Image = "${params.hosts}"
		},
		"files that stand elsewhere": func(_ *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			t.Spec.Container.ManifestsFrom = &v1alpha1.ManifestsFrom{FilesFrom: v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "files"}}}
		},
		"machines": func(_ *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			t.Spec.Container, t.Spec.Host = nil, &v1alpha1.HostProcess{}
		},
	} {
		if err := checked(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsWrongInEveryEnvironmentIsTold(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*v1alpha1.Product, *v1alpha1.ServiceTemplate){
		`product.spec.groups[0].services[0] (orders): template "go" container.args[0]: column 3: there is no parameter "host"; did you mean "hosts"?`: func(_ *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			t.Spec.Parameters = []v1alpha1.Parameter{{Name: "hosts", Type: v1alpha1.ParameterString, Default: &apiextensionsv1.JSON{Raw: []byte(`"a"`)}}}
			t.Spec.Container.Args = []string{"${params.host}"}
		},
		`product.spec.groups[0].services[0] (orders): parameter replicas: "many" is not an integer; write a whole number like 3`: func(p *v1alpha1.Product, t *v1alpha1.ServiceTemplate) {
			t.Spec.Parameters = []v1alpha1.Parameter{{Name: "replicas", Type: v1alpha1.ParameterInteger}}
			p.Spec.Groups[0].Services[0].Parameters = map[string]apiextensionsv1.JSON{"replicas": raw(`"many"`)}
			p.Spec.Groups[0].Services[1].Parameters = map[string]apiextensionsv1.JSON{"replicas": raw("2")}
		},
	} {
		if err := checked(change); err == nil || firstLine(err) != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
	cycle := checked(func(p *v1alpha1.Product, _ *v1alpha1.ServiceTemplate) {
		p.Spec.Groups[0].Services[0].Needs = []v1alpha1.Need{{Service: "web"}}
		p.Spec.Groups[0].Services[1].Needs = []v1alpha1.Need{{Service: "orders"}}
	})
	if want := "cycle orders -> web -> orders"; cycle == nil || !strings.Contains(cycle.Error(), want) {
		t.Errorf("got %v, want %q", cycle, want)
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
