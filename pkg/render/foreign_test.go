package render_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/source"
)

// foreign reads a directory of a Go module of others, at a version.
func foreign(t *testing.T, module, dir string) map[string]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	command.Dir = t.TempDir() // outside of our own module
	answer, err := command.Output()
	var where struct{ Dir, Error string }
	if decode := json.Unmarshal(answer, &where); decode != nil || where.Dir == "" {
		t.Skipf("the module %s is neither here nor to be had: %v %s", module, err, where.Error)
	}
	files, root := map[string]string{}, filepath.Join(where.Dir, dir)
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		relative, _ := filepath.Rel(root, name) // below the root
		files[filepath.ToSlash(relative)] = string(text)
		return err
	})
	if err != nil {
		t.Fatalf("read %s of %s: %v", dir, module, err)
	}
	return files
}

// objects are the service's objects and the images in them, by what a person calls them.
func objects(s render.Service) []string {
	var out []string
	for _, object := range append(slices.Clone(s.Passive), s.Workloads...) {
		out = append(out, object.GetKind()+"/"+object.GetName()+" in "+object.GetNamespace())
	}
	slices.Sort(out)
	return out
}

func cacheOf(t *testing.T, container v1alpha1.Container, cache *source.Cache) render.Service {
	t.Helper()
	in := load(t, "shop")
	in.Sources = cache
	spec := &in.Templates["cache"].Spec
	spec.Ports, spec.Container = nil, &container
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Services[slices.IndexFunc(out.Services, func(s render.Service) bool { return s.Name == "cache" })]
}

// Charts and directories that nobody of this project wrote.
func TestChartsAndDirectoriesOfOthers(t *testing.T) {
	t.Parallel()
	const overlay = `
resources: [../kustomize]
namePrefix: ${service.name}-
patches:
- {target: {kind: ClusterRole}, patch: '{$patch: delete, kind: ClusterRole, metadata: {name: x}}'}
- {target: {kind: ClusterRoleBinding}, patch: '{$patch: delete, kind: ClusterRoleBinding, metadata: {name: x}}'}
- {target: {kind: Deployment}, patch: '[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "${service.image}"}]'}
`
	for name, tc := range map[string]struct {
		module, dir string
		container   func(files map[string]string) v1alpha1.Container
		want        []string
	}{
		"the chart of metrics-server": {"sigs.k8s.io/metrics-server@v0.7.2", "charts/metrics-server", func(files map[string]string) v1alpha1.Container {
			return v1alpha1.Container{Chart: &v1alpha1.Chart{Files: files, Values: "rbac: {create: false}\napiService: {create: false}\nreplicas: ${params.instances}\n"}}
		}, []string{"Deployment/cache-metrics-server in team-a-demo", "Service/cache-metrics-server in team-a-demo", "ServiceAccount/cache-metrics-server in team-a-demo"}},
		"the chart of external-dns, with a schema and CRDs": {"sigs.k8s.io/external-dns@v0.15.1", "charts/external-dns", func(files map[string]string) v1alpha1.Container {
			return v1alpha1.Container{Chart: &v1alpha1.Chart{Files: files, Values: "rbac: {create: false}\n"}}
		}, []string{"Deployment/cache-external-dns in team-a-demo", "Service/cache-external-dns in team-a-demo", "ServiceAccount/cache-external-dns in team-a-demo"}},
		"the Kustomize directory of external-dns, under an overlay": {"sigs.k8s.io/external-dns@v0.15.1", "kustomize", func(files map[string]string) v1alpha1.Container {
			all := map[string]string{"over/kustomization.yaml": overlay}
			for name, text := range files {
				all["kustomize/"+name] = text
			}
			return v1alpha1.Container{Kustomize: &v1alpha1.Kustomize{Files: all, Path: "over"}}
		}, []string{"Deployment/cache-external-dns in team-a-demo", "ServiceAccount/cache-external-dns in team-a-demo"}},
		"the hello of Kustomize": {"sigs.k8s.io/kustomize@v2.0.3+incompatible", "examples/helloWorld", func(files map[string]string) v1alpha1.Container {
			return v1alpha1.Container{Kustomize: &v1alpha1.Kustomize{Files: files}}
		}, []string{"ConfigMap/the-map in team-a-demo", "Deployment/the-deployment in team-a-demo", "Service/the-service in team-a-demo"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			container, cache := tc.container(foreign(t, tc.module, tc.dir)), source.NewCache(1<<20)
			first := cacheOf(t, container, cache)
			if diff := cmp.Diff(tc.want, objects(first)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, again := range []*source.Cache{cache, nil} {
				if diff := cmp.Diff(first, cacheOf(t, container, again)); diff != "" {
					t.Errorf("a second rendering is another (-first +second):\n%s", diff)
				}
			}
			for _, object := range first.Workloads {
				if object.GetLabels()[v1alpha1.LabelService] != "cache" {
					t.Errorf("%s has not our labels: %v", object.GetName(), object.GetLabels())
				}
			}
		})
	}
}
