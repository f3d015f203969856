// Package catalog checks what is offered: that every template is read, rendered and
// described, and that its objects are what the golden files say.
package catalog

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
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/render"
)

var update = flag.Bool("update", false, "write the golden files and the tables of docs/catalog.md")

const (
	begin = "<!-- begin of what is made from the YAML: go test ./catalog -update -->\n"
	end   = "<!-- end -->"
)

func read[T any](t *testing.T, path string) *T {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(raw, object); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return object
}

// templates are in the order of their names.
func templates(t *testing.T) []*v1alpha1.ServiceTemplate {
	t.Helper()
	paths, err := filepath.Glob("templates/*.yaml")
	if err != nil || len(paths) < 5 {
		t.Fatalf("templates %v, %v", paths, err)
	}
	var all []*v1alpha1.ServiceTemplate
	for _, path := range paths {
		template := read[v1alpha1.ServiceTemplate](t, path)
		if template.Name+".yaml" != filepath.Base(path) || template.Kind != "ServiceTemplate" || template.Labels["app.kubernetes.io/version"] == "" {
			t.Errorf("%s holds a %s %s of version %q", path, template.Kind, template.Name, template.Labels["app.kubernetes.io/version"])
		}
		all = append(all, template)
	}
	return all
}

func TestTheSampleRendersAsTheGoldenFilesSay(t *testing.T) {
	t.Parallel()
	in := render.Input{
		Product: read[v1alpha1.Product](t, "sample/product.yaml"), Class: read[v1alpha1.EnvironmentClass](t, "sample/class.yaml"),
		Environment: read[v1alpha1.Environment](t, "sample/environment.yaml"), Namespace: "team-a-catalog-sample",
		Templates: map[string]*v1alpha1.ServiceTemplate{},
		Hosts:     []placement.Host{{Name: "rack1", Address: "192.0.2.10"}},
	}
	unused := map[string]bool{}
	for _, template := range templates(t) {
		in.Templates[template.Name] = template
		unused[template.Name] = true
	}
	for _, group := range in.Product.Spec.Groups {
		for _, service := range group.Services {
			delete(unused, service.Template)
		}
	}
	if len(unused) > 0 {
		t.Errorf("the sample has no service of %v", unused)
	}
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range out.Services {
		golden(t, filepath.Join("testdata", service.Name+".golden.yaml"), objects(t, service))
	}
}

func objects(t *testing.T, s render.Service) string {
	t.Helper()
	var out bytes.Buffer
	for _, list := range [][]*unstructured.Unstructured{s.Passive, s.Workloads} {
		for _, object := range list {
			text, err := yaml.Marshal(object.Object)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "---\n%s", text)
		}
	}
	return out.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is out of date; read the difference, then run with -update (-want +got):\n%s", path, diff)
	}
}

// The tables of the page say what the templates say.
func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "docs", "catalog.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(raw), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines\n%s%s", path, begin, end)
	}
	golden(t, path, head+begin+tables(t)+end+tail)
}

func tables(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, template := range templates(t) {
		fmt.Fprintf(&out, "\n### %s\n\n%s [Its YAML](../catalog/templates/%s.yaml).\n\n| parameter | type | default | what it is |\n|---|---|---|---|\n",
			template.Name, template.Spec.Description, template.Name)
		if len(template.Spec.Description) < 10 {
			t.Errorf("%s is not described", template.Name)
		}
		for _, p := range template.Spec.Parameters {
			kind, standard := string(p.Type), "required"
			if kind == "" {
				kind = "string"
			}
			if len(p.Values) > 0 {
				kind += ": " + strings.Join(p.Values, ", ")
			}
			if p.Default != nil {
				standard = "`" + strings.Trim(string(p.Default.Raw), `"`) + "`"
			}
			if len(p.Description) < 10 {
				t.Errorf("parameter %s of %s is not described", p.Name, template.Name)
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", p.Name, kind, standard, p.Description)
		}
	}
	out.WriteString("\n")
	return out.String()
}
