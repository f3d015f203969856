// Package examples checks that what the examples hand to Spock is what Spock reads.
package examples

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/utils/ptr"
	strict "sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

// objects are what the YAML of one example holds.
type objects struct {
	templates    map[string]*v1alpha1.ServiceTemplate
	products     map[string]*v1alpha1.Product
	classes      map[string]*v1alpha1.EnvironmentClass
	environments []*v1alpha1.Environment
}

func TestExamplesAreStrictlyReadable(t *testing.T) {
	t.Parallel()
	for _, dir := range folders(t) {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			t.Parallel()
			read(t, dir)
		})
	}
}

func TestExamplesRender(t *testing.T) {
	t.Parallel()
	for _, dir := range folders(t) {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			t.Parallel()
			held := read(t, dir)
			if len(held.environments) == 0 {
				t.Fatalf("%s holds no Environment; add a sample of one", dir)
			}
			for _, e := range held.environments {
				rendered, err := held.render(e)
				if err != nil {
					t.Fatalf("environment %s: %v", e.Name, err)
				}
				checkQuota(t, e.Name, held.classes[e.Spec.Class].Spec, rendered)
			}
		})
	}
}

// render makes the objects of an environment.
func (o objects) render(e *v1alpha1.Environment) (*render.Rendered, error) {
	product, class := o.products[e.Spec.Product], o.classes[e.Spec.Class]
	if product == nil || class == nil {
		return nil, fmt.Errorf("product %q or class %q is not in the example", e.Spec.Product, e.Spec.Class)
	}
	return render.Product(render.Input{
		Product: product, Templates: o.templates, Class: class, Environment: e, Namespace: "team-a-" + e.Name,
	})
}

// checkQuota wants what the Deployments and StatefulSets ask for to leave half of the
// class's quota free: a rollout has old and new instances side by side.
func checkQuota(t *testing.T, environment string, class v1alpha1.EnvironmentClassSpec, rendered *render.Rendered) {
	t.Helper()
	for resource, name := range map[corev1.ResourceName]corev1.ResourceName{
		corev1.ResourceCPU: corev1.ResourceRequestsCPU, corev1.ResourceMemory: corev1.ResourceRequestsMemory,
	} {
		quota, limited := class.Quota[name]
		if !limited {
			continue
		}
		asked := requests(t, resource, class.DefaultRequests, rendered)
		if 2*asked > quota.MilliValue() {
			t.Errorf("environment %s: twice its requests of %s, %dm, is more than its quota of %s", environment, resource, asked, quota.String())
		}
	}
}

// requests is what all instances together ask for, in thousandths.
func requests(t *testing.T, resource corev1.ResourceName, defaults corev1.ResourceList, rendered *render.Rendered) int64 {
	t.Helper()
	var sum int64
	for _, service := range rendered.Services {
		for _, object := range service.Workloads {
			var workload appsv1.Deployment // a StatefulSet has its pods in the same place
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &workload); err != nil {
				t.Fatalf("read %s %s: %v", object.GetKind(), object.GetName(), err)
			}
			for _, container := range workload.Spec.Template.Spec.Containers {
				asked, own := container.Resources.Requests[resource]
				if !own {
					asked = defaults[resource]
				}
				sum += asked.MilliValue() * int64(ptr.Deref(workload.Spec.Replicas, 1))
			}
		}
	}
	return sum
}

// folders are the examples/**/spock folders of the repository.
func folders(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..", "examples")
	var found []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "spock" {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("find the spock folders below %s: found %d, %v", root, len(found), err)
	}
	return found
}

// read decodes all documents of a folder, and fails on a field that no type has.
func read(t *testing.T, dir string) objects {
	t.Helper()
	held := objects{
		templates: map[string]*v1alpha1.ServiceTemplate{},
		products:  map[string]*v1alpha1.Product{},
		classes:   map[string]*v1alpha1.EnvironmentClass{},
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find the YAML files of %s: found %d, %v", dir, len(files), err)
	}
	for _, file := range files {
		for i, document := range documents(t, file) {
			if err := held.add(document); err != nil {
				t.Fatalf("%s, document %d: %v", file, i+1, err)
			}
		}
	}
	return held
}

func documents(t *testing.T, file string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data)))
	defer reader.Close()
	var all [][]byte
	for {
		// Read hands out one document at a time when its buffer can hold the file.
		document := make([]byte, len(data)+1)
		n, err := reader.Read(document)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		all = append(all, document[:n])
	}
}

func (o *objects) add(document []byte) error {
	var kind runtime.TypeMeta
	if err := strict.Unmarshal(document, &kind); err != nil {
		return err
	}
	if kind.APIVersion != v1alpha1.SchemeGroupVersion.String() {
		return fmt.Errorf("apiVersion is %q; write %s", kind.APIVersion, v1alpha1.SchemeGroupVersion)
	}
	switch kind.Kind {
	case "ServiceTemplate":
		return decode(document, func(t *v1alpha1.ServiceTemplate) { o.templates[t.Name] = t })
	case "Product":
		return decode(document, func(p *v1alpha1.Product) { o.products[p.Name] = p })
	case "EnvironmentClass":
		return decode(document, func(c *v1alpha1.EnvironmentClass) { o.classes[c.Name] = c })
	case "Environment":
		return decode(document, func(e *v1alpha1.Environment) { o.environments = append(o.environments, e) })
	}
	return fmt.Errorf("kind is %q; an example's spock folder holds templates, products, classes and environments", kind.Kind)
}

func decode[T any](document []byte, keep func(*T)) error {
	object := new(T)
	if err := strict.UnmarshalStrict(document, object); err != nil {
		return err
	}
	keep(object)
	return nil
}
