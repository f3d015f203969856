package docs

import (
	"slices"
	"strings"
	"testing"

	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/source"
)

// elsewhere are pages whose objects pkg/reconciler/customrun tests, and more strictly.
var elsewhere = map[string]bool{"docs/tasks/deploy.md": true, "docs/tasks/teardown.md": true, "docs/tekton.md": true}

// kinds make an empty object of each kind that the pages show.
var kinds = map[metav1.TypeMeta]func() any{
	{APIVersion: "spock.dev/v1alpha1", Kind: "ServiceTemplate"}:       func() any { return &v1alpha1.ServiceTemplate{} },
	{APIVersion: "spock.dev/v1alpha1", Kind: "Product"}:               func() any { return &v1alpha1.Product{} },
	{APIVersion: "spock.dev/v1alpha1", Kind: "EnvironmentClass"}:      func() any { return &v1alpha1.EnvironmentClass{} },
	{APIVersion: "spock.dev/v1alpha1", Kind: "Environment"}:           func() any { return &v1alpha1.Environment{} },
	{APIVersion: "spock.dev/v1alpha1", Kind: "EnvironmentRun"}:        func() any { return &v1alpha1.EnvironmentRun{} },
	{APIVersion: "spock.dev/v1alpha1", Kind: "Host"}:                  func() any { return &v1alpha1.Host{} },
	{APIVersion: "tekton.dev/v1", Kind: "Task"}:                       func() any { return &pipelinev1.Task{} },
	{APIVersion: "tekton.dev/v1", Kind: "TaskRun"}:                    func() any { return &pipelinev1.TaskRun{} },
	{APIVersion: "tekton.dev/v1", Kind: "Pipeline"}:                   func() any { return &pipelinev1.Pipeline{} },
	{APIVersion: "tekton.dev/v1", Kind: "PipelineRun"}:                func() any { return &pipelinev1.PipelineRun{} },
	{APIVersion: "tekton.dev/v1beta1", Kind: "CustomRun"}:             func() any { return &v1beta1.CustomRun{} },
	{APIVersion: "v1", Kind: "ServiceAccount"}:                        func() any { return &corev1.ServiceAccount{} },
	{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"}:    func() any { return &rbacv1.Role{} },
	{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"}: func() any { return &rbacv1.RoleBinding{} },
	{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"}: func() any { return &rbacv1.ClusterRole{} },
}

// object is an object that a page shows.
type object struct {
	page  string
	line  int // of its block
	value any
}

// objects are those of a page's YAML blocks, each strictly read. What is not an object,
// a snippet, need only be YAML.
func objects(t *testing.T, p page) []object {
	t.Helper()
	var all []object
	for _, b := range p.blocks {
		if b.language != "yaml" {
			continue
		}
		for _, text := range strings.Split(b.text, "\n---\n") {
			var any any
			if err := yaml.Unmarshal([]byte(text), &any); err != nil {
				t.Errorf("%s:%d: %v", p.name, b.line, err)
				continue
			}
			var meta metav1.TypeMeta
			if err := yaml.Unmarshal([]byte(text), &meta); err != nil || meta.Kind == "" {
				continue // a list, or a part of an object
			}
			made, known := kinds[meta]
			if !known {
				t.Errorf("%s:%d: apiVersion %q and kind %q are not known to this test", p.name, b.line, meta.APIVersion, meta.Kind)
				continue
			}
			o := object{page: p.name, line: b.line, value: made()}
			if err := yaml.UnmarshalStrict([]byte(text), o.value); err != nil {
				t.Errorf("%s:%d: %s: %v", p.name, b.line, meta.Kind, err)
				continue
			}
			all = append(all, o)
		}
	}
	return all
}

func TestEveryObjectIsStrictlyReadable(t *testing.T) {
	t.Parallel()
	read := 0
	for _, p := range pages(t) {
		if elsewhere[p.name] || p.name != "README.md" && !strings.HasPrefix(p.name, "docs/") {
			continue
		}
		read += len(objects(t, p))
	}
	if read == 0 {
		t.Error("no page shows an object")
	}
}

// The product of the README is deployed by its readers: it renders, and has a plan.
func TestTheProductOfTheReadmeHasAPlan(t *testing.T) {
	t.Parallel()
	in := render.Input{
		Templates: map[string]*v1alpha1.ServiceTemplate{}, Namespace: "team-a-greet",
		Class:       &v1alpha1.EnvironmentClass{Spec: v1alpha1.EnvironmentClassSpec{Domain: "dev.localhost:8080"}},
		Environment: &v1alpha1.Environment{},
	}
	for _, p := range pages(t) {
		if p.name != "README.md" {
			continue
		}
		for _, o := range objects(t, p) {
			switch o := o.value.(type) {
			case *v1alpha1.ServiceTemplate:
				in.Templates[o.Name] = o
			case *v1alpha1.Product:
				in.Product = o
			}
		}
	}
	in.Environment.Name, in.Environment.Namespace = "greet", "team-a"
	rendered, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Compute(plan.Input{Product: in.Product, Rendered: rendered, Environment: in.Environment}); err != nil {
		t.Fatal(err)
	}
}

// The templates of the page on manifests give the objects that it promises, and a chart
// without the value it requires says what the page says.
func TestTheTemplatesOfManifestsRender(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		if p.name != "docs/manifests.md" {
			continue
		}
		shown := objects(t, p)
		if len(shown) == 0 {
			t.Error("the page shows no template")
		}
		found := inlined(shown)
		for _, o := range shown {
			template := o.value.(*v1alpha1.ServiceTemplate)
			out, err := greeter(template, "registry.example.com/greeter:1", found)
			if err != nil || len(out.Services[0].Workloads) != 1 {
				t.Errorf("%s:%d: want one workload: %v", o.page, o.line, err)
			}
			if template.Spec.Container.Chart == nil || template.Spec.Container.Chart.FilesFrom != nil {
				continue
			}
			bare := template.DeepCopy()
			bare.Spec.Container.Chart.Values = ""
			_, err = greeter(bare, "", found)
			if err == nil || !slices.ContainsFunc(p.blocks, func(b block) bool {
				return b.language == "" && strings.HasSuffix(err.Error(), strings.TrimSpace(b.text))
			}) {
				t.Errorf("%s:%d: the page does not show what is said without values: %v", o.page, o.line, err)
			}
		}
	}
}

// inlined holds, where templates of the page read from, the files that it shows inline.
func inlined(shown []object) map[source.Origin]source.Found {
	var chart source.Files
	manifests := source.Files{}
	for _, o := range shown {
		switch c := o.value.(*v1alpha1.ServiceTemplate).Spec.Container; {
		case c.Chart != nil && len(c.Chart.Files) > 0:
			chart = c.Chart.Files
		case c.Kustomize != nil && len(c.Kustomize.Files) > 0:
			manifests["deploy/web.yaml"] = c.Kustomize.Files["base/deployment.yaml"]
		}
	}
	found := map[source.Origin]source.Found{{ConfigMap: "web"}: {Files: chart}, {ConfigMap: "web-manifests"}: {Files: manifests}}
	for _, o := range shown {
		c := o.value.(*v1alpha1.ServiceTemplate).Spec.Container
		if c.Chart != nil && c.Chart.FilesFrom != nil && c.Chart.FilesFrom.OCI != nil {
			from := c.Chart.FilesFrom.OCI
			found[source.Origin{Artifact: source.Artifact{Image: from.Image, Secret: from.SecretRef.Name}}] = source.Found{Files: chart}
		}
	}
	return found
}

// greeter renders a product whose one service has the template.
func greeter(template *v1alpha1.ServiceTemplate, image string, found map[source.Origin]source.Found) (*render.Rendered, error) {
	service := v1alpha1.ProductService{Name: "greeter", Template: template.Name}
	service.Image = image
	of := metav1.ObjectMeta{Name: "greet", Namespace: "team-a"}
	return render.Product(render.Input{
		Templates: map[string]*v1alpha1.ServiceTemplate{template.Name: template}, Namespace: "team-a-greet", Found: found,
		Class: &v1alpha1.EnvironmentClass{}, Environment: &v1alpha1.Environment{ObjectMeta: of},
		Product: &v1alpha1.Product{ObjectMeta: of, Spec: v1alpha1.ProductSpec{
			Groups: []v1alpha1.Group{{Name: "apps", Services: []v1alpha1.ProductService{service}}},
		}},
	})
}
