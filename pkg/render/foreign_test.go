package render_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	return cacheFrom(t, container, cache, nil)
}

// cacheFrom renders the service with files from elsewhere.
func cacheFrom(t *testing.T, container v1alpha1.Container, cache *source.Cache, found map[source.Origin]source.Found) render.Service {
	t.Helper()
	in := load(t, "shop")
	in.Sources, in.Found = cache, found
	spec := &in.Templates["cache"].Spec
	spec.Ports, spec.Container = nil, &container
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Services[slices.IndexFunc(out.Services, func(s render.Service) bool { return s.Name == "cache" })]
}

// elsewhere lets the container read its files from a ConfigMap, and returns what such ones
// hold, by how they were made.
func elsewhere(t *testing.T, c *v1alpha1.Container) map[string]map[source.Origin]source.Found {
	t.Helper()
	files, prefix := source.Files{}, ""
	from := &v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "web"}}
	if c.Chart != nil {
		files, prefix = c.Chart.Files, "packed/" // as Helm packs it
		c.Chart.Files, c.Chart.FilesFrom = nil, from
	} else {
		files = c.Kustomize.Files
		c.Kustomize.Files, c.Kustomize.FilesFrom = nil, from
	}
	keys := map[string]string{}
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for name, text := range files {
		keys[strings.ReplaceAll(name, "/", "__")] = text
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: prefix + name, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	web := source.Origin{ConfigMap: "web"}
	return map[string]map[source.Origin]source.Found{
		"keys":       {web: source.FromConfigMap(keys, nil)},
		"an archive": {web: source.FromConfigMap(nil, map[string][]byte{"web.tgz": packed.Bytes()})},
	}
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
			for how, found := range elsewhere(t, &container) {
				if diff := cmp.Diff(first, cacheFrom(t, container, cache, found)); diff != "" {
					t.Errorf("from %s it is another (-inline +from there):\n%s", how, diff)
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

// Manifests of others, as they are: what an environment may not hold is left out by path.
func TestManifestsOfOthers(t *testing.T) {
	t.Parallel()
	all := foreign(t, "sigs.k8s.io/kustomize@v2.0.3+incompatible", "examples/wordpress/wordpress")
	container := v1alpha1.Container{ManifestsFrom: &v1alpha1.ManifestsFrom{
		FilesFrom: v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "web"}}, Path: "wp", Literal: true,
	}}
	files := source.Files{}
	for name, text := range all {
		if name != "kustomization.yaml" {
			files["wp/"+name] = text
		}
	}
	got := cacheFrom(t, container, nil, map[source.Origin]source.Found{{ConfigMap: "web"}: {Files: files}})
	want := []string{"Deployment/wordpress in team-a-demo", "Service/wordpress in team-a-demo"}
	if diff := cmp.Diff(want, objects(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
