//go:build e2e

package e2e

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func raw(value any) *apiextensionsv1.JSON {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // constants of the tests
	}
	return &apiextensionsv1.JSON{Raw: text}
}

// shell is a template of a service that runs a shell script. It ends at once when asked.
func shell(name, script string) *v1alpha1.ServiceTemplate {
	return &v1alpha1.ServiceTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.ServiceTemplateSpec{Container: &v1alpha1.Container{
			Command:   []string{"sh", "-c", "trap 'exit 0' TERM\n" + script},
			RunAsUser: ptr.To[int64](65532),
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("5m")}},
		}},
	}
}

// page is a template of a web server that says a greeting, some seconds after its start.
func page() *v1alpha1.ServiceTemplate {
	t := shell("page", "sleep ${params.delay} & wait $!\nhttpd -f -p 8080 -h /www & wait $!")
	t.Spec.Parameters = []v1alpha1.Parameter{
		{Name: "greeting", Type: v1alpha1.ParameterString, Default: raw("hello")},
		{Name: "delay", Type: v1alpha1.ParameterInteger, Default: raw(0)},
	}
	t.Spec.Ports = []v1alpha1.Port{{Name: "http", Port: 8080}}
	t.Spec.Files = []v1alpha1.ConfigFile{{Path: "/www/index.html", Content: "${service.name} says ${params.greeting}\n"}}
	t.Spec.Readiness = &v1alpha1.Readiness{HTTP: &v1alpha1.HTTPProbe{Path: "/index.html"}, PeriodSeconds: 1}
	return t
}

// idle is a template of a service that does nothing and has no parameter.
func idle() *v1alpha1.ServiceTemplate { return shell("idle", "sleep 100000 & wait $!") }

// never is a template of a service that runs and is not ready.
func never() *v1alpha1.ServiceTemplate {
	t := shell("never", "sleep 100000 & wait $!")
	t.Spec.Readiness = &v1alpha1.Readiness{Exec: &v1alpha1.ExecProbe{Command: []string{"false"}}}
	return t
}

func (l *lab) service(name, template string) v1alpha1.ProductService {
	return v1alpha1.ProductService{Name: name, Template: template, Image: l.image("busybox:1")}
}

// slow is a web server that takes a second to be ready.
func (l *lab) slow(name string) v1alpha1.ProductService {
	s := l.service(name, "page")
	s.Parameters = map[string]apiextensionsv1.JSON{"delay": *raw(1)}
	return s
}

func group(name string, services ...v1alpha1.ProductService) v1alpha1.Group {
	return v1alpha1.Group{Name: name, Services: services}
}

func product(name string, groups ...v1alpha1.Group) *v1alpha1.Product {
	return &v1alpha1.Product{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ProductSpec{Groups: groups}}
}

// shop is a product of three tiers with one service each.
func (l *lab) shop(db, orders, web v1alpha1.ProductService) *v1alpha1.Product {
	return product("shop", group("data", db), group("backend", orders), group("frontend", web))
}

// environment is one of the lab's class.
func (l *lab) environment(name, product string) *v1alpha1.Environment {
	return &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.EnvironmentSpec{Product: product, Class: l.name, ServiceAccountName: account},
	}
}
