package render_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/manifest"
	"spock.dev/spock/pkg/render"
)

// crew has a container beside the one that serves, one that runs before them, and a job.
const crew = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {
initContainers: [{name: migrate, image: "r.example.com/old:1"}],
containers: [{name: main, image: "${service.image}"}, {name: proxy, image: "r.example.com/proxy:1"}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: night}, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: sweep, image: "r.example.com/sweep:1"}]}}}}}}
`

func crewed(c change) {
	c.in.Templates["cache"].Spec.Ports = nil
	c.in.Templates["cache"].Spec.Container = &v1alpha1.Container{Manifests: []string{crew}}
	c.service("cache").Image = "r.example.com/main:1"
}

func TestImagesOfContainersComeFromTheStrongestLayer(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	c := change{t, &in}
	crewed(c)
	c.service("cache").Images = map[string]string{"proxy": "r.example.com/proxy:2", "migrate": "r.example.com/new:1"}
	c.in.Environment.Spec.Services = append(c.in.Environment.Spec.Services, v1alpha1.ServiceOverride{Name: "cache", Images: map[string]string{"proxy": "r.example.com/proxy:3", "sweep": "r.example.com/sweep:2"}})
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	service := out.Services[slices.IndexFunc(out.Services, func(s render.Service) bool { return s.Name == "cache" })]
	got := map[string]string{}
	for _, object := range service.Workloads {
		for _, container := range manifest.Containers(object) {
			got[container["name"].(string)] = container["image"].(string)
		}
	}
	want := map[string]string{"migrate": "r.example.com/new:1", "main": "r.example.com/main:1", "proxy": "r.example.com/proxy:3", "sweep": "r.example.com/sweep:2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	layers := map[string]render.Layer{}
	for _, v := range service.Values {
		layers[v.Name] = v.Layer
	}
	if layers["images.migrate"] != render.LayerProduct || layers["images.proxy"] != render.LayerEnvironment {
		t.Errorf("layers %v", layers)
	}
}

func TestImagesOfContainersAreRefused(t *testing.T) {
	t.Parallel()
	images := func(name, image string) func(change) {
		return func(c change) {
			crewed(c)
			c.service("cache").Images = map[string]string{name: image}
		}
	}
	refusals{
		"a container that is not there": {images("prox", "r.example.com/aa:1"), inCache + `images prox: the service has no container "prox"; did you mean "proxy"?`},
		"what is no image":              {images("proxy", "not an image"), inCache + `images proxy: "not an image" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"a service of one container": {func(c change) { c.service("orders").Images = map[string]string{"orders": "r.example.com/aa:1"} },
			inOrders + `images orders: the service has one container, since its template brings no manifests; set image instead`},
	}.run(t)
}
