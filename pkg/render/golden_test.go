package render_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestProductMatchesItsGoldenFiles(t *testing.T) {
	t.Parallel()
	out, err := render.Product(load(t, "shop"))
	if err != nil {
		t.Fatalf("rendering shop: %v", err)
	}
	for _, service := range out.Services {
		t.Run(service.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "shop", service.Name+".golden.yaml"), describe(t, service))
		})
	}
}

// load reads the input of testdata/NAME/input.yaml.
func load(t testing.TB, name string) render.Input {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name, "input.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in := render.Input{Templates: map[string]*v1alpha1.ServiceTemplate{}}
	for _, document := range strings.Split(string(raw), "\n---\napiVersion: spock.dev/") {
		document = "apiVersion: spock.dev/" + strings.TrimPrefix(document, "apiVersion: spock.dev/")
		var head struct{ Kind string }
		parse(t, document, &head, false)
		switch head.Kind {
		case "ServiceTemplate":
			template := &v1alpha1.ServiceTemplate{}
			parse(t, document, template, true)
			in.Templates[template.Name] = template
		case "Product":
			in.Product = &v1alpha1.Product{}
			parse(t, document, in.Product, true)
		case "EnvironmentClass":
			in.Class = &v1alpha1.EnvironmentClass{}
			parse(t, document, in.Class, true)
		case "Environment":
			in.Environment = &v1alpha1.Environment{}
			parse(t, document, in.Environment, true)
		}
	}
	in.Namespace = in.Environment.Namespace + "-" + in.Environment.Name
	return in
}

func parse(t testing.TB, document string, into any, strict bool) {
	t.Helper()
	unmarshal := yaml.UnmarshalStrict
	if !strict {
		unmarshal = func(b []byte, into any, _ ...yaml.JSONOpt) error { return yaml.Unmarshal(b, into) }
	}
	if err := unmarshal([]byte(document), into); err != nil {
		t.Fatalf("reading\n%s\n%v", document, err)
	}
}

// describe writes a service as YAML: what is known about it, then its objects.
func describe(t testing.TB, s render.Service) []byte {
	t.Helper()
	var out bytes.Buffer
	write := func(title string, v any) {
		body, err := yaml.Marshal(v)
		if err != nil {
			t.Fatalf("writing %s of %s: %v", title, s.Name, err)
		}
		fmt.Fprintf(&out, "# %s\n%s---\n", title, body)
	}
	objects := func(title string, list []*unstructured.Unstructured) {
		for _, object := range list {
			write(title, object.Object)
		}
	}
	head := s
	head.Passive, head.Workloads, head.Hooks = nil, nil, nil
	write("service", head)
	objects("passive", s.Passive)
	for _, hook := range s.Hooks {
		write("hook "+hook.Name, hook.Job.Object)
	}
	objects("workload", s.Workloads)
	return out.Bytes()
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date; look at the difference, then run the test with -update (-want +got):\n%s", path, diff)
	}
}
