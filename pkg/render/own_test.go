package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
	sources "spock.dev/spock/pkg/source"
)

const (
	inKustomize = inCache + `template "cache" container.kustomize: `
	inChart     = inCache + `template "cache" container.chart: `
)

// web is a chart whose one object shows its values, and a text like an expression.
func webChart(values string) *v1alpha1.Chart {
	return &v1alpha1.Chart{Values: values, Files: map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"templates/a.yaml": "{{ if not .Values.hidden }}{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {values: {{ toJson .Values }}, shell: '${HOME}'}}{{ end }}",
	}}
}

func fromWeb() *v1alpha1.FilesFrom {
	return &v1alpha1.FilesFrom{ConfigMap: &v1alpha1.ConfigMapFiles{Name: "web"}}
}

func TestOriginsAreThoseOfServicesThatRun(t *testing.T) {
	t.Parallel()
	in := load(t, "shop")
	in.Templates["cache"].Spec.Container = &v1alpha1.Container{Chart: &v1alpha1.Chart{FilesFrom: fromWeb()}}
	if diff := cmp.Diff([]sources.Origin{{ConfigMap: "web"}}, render.Origins(in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	in.Environment.Spec.Only = []string{"orders"}
	if got := render.Origins(in); len(got) > 0 {
		t.Errorf("without the service there is %v", got)
	}
}

func TestAChartIsGivenItsValues(t *testing.T) {
	t.Parallel()
	s := cacheOf(t, v1alpha1.Container{Chart: webChart("count: ${params.instances}\nimage: ${service.image}\nat: ${services.orders.host}\n")}, nil)
	want := map[string]any{
		"values": map[string]any{"count": int64(2), "image": "registry.example.com/redis:7", "at": "orders"},
		"shell":  "${HOME}",
	}
	if diff := cmp.Diff(want, s.Workloads[0].Object["spec"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(s.References) != 1 || s.References[0].Service != "orders" {
		t.Errorf("the address in the values is not a reference: %v", s.References)
	}
}

func TestADirectoryIsGivenItsExpressions(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"kustomization.yaml": "resources: [a.yaml]\nnamePrefix: ${service.name}-\n",
		"a.yaml":             "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {n: '${params.instances}'}}",
	}
	for literal, want := range map[bool]any{false: int64(2), true: "${params.instances}"} {
		k := &v1alpha1.Kustomize{Files: files, Literal: literal}
		if literal {
			k.Files = map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": files["a.yaml"]}
		}
		object := cacheOf(t, v1alpha1.Container{Kustomize: k}, nil).Workloads[0]
		if got := object.Object["spec"].(map[string]any)["n"]; got != want {
			t.Errorf("literal %v: got %v, want %v", literal, got, want)
		}
	}
}

func TestDirectoriesAndChartsAreRefused(t *testing.T) {
	t.Parallel()
	own := func(set func(*v1alpha1.Container)) func(change) {
		return func(c change) {
			container := &v1alpha1.Container{}
			set(container)
			c.in.Templates["cache"].Spec.Container = container
		}
	}
	refusals{
		"a directory without a kustomization": {own(func(c *v1alpha1.Container) { c.Kustomize = &v1alpha1.Kustomize{Files: map[string]string{"a": ""}} }),
			inKustomize + `there is no kustomization.yaml in "."; add one, or set path to the directory that has it`},
		"a ConfigMap that is not there": {func(c change) {
			own(func(c *v1alpha1.Container) { c.Chart = &v1alpha1.Chart{FilesFrom: fromWeb()} })(c)
			c.in.Found = map[sources.Origin]sources.Found{{ConfigMap: "web"}: {Err: sources.NoConfigMap("team-a", "web")}}
		}, inChart + `there is no ConfigMap "web" with the label spock.dev/manifests=true in namespace team-a; create it, or mark it: kubectl label configmap web spock.dev/manifests=true -n team-a`},
		"manifests elsewhere with a wrong expression": {func(c change) {
			own(func(c *v1alpha1.Container) { c.ManifestsFrom = &v1alpha1.ManifestsFrom{FilesFrom: *fromWeb()} })(c)
			c.in.Found = map[sources.Origin]sources.Found{{ConfigMap: "web"}: {Files: sources.Files{"a.yaml": "", "b.yaml": "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: '${params.instance}'}"}}}
		}, inCache + "template \"cache\" container.manifestsFrom file b.yaml: Widget/a spec: column 3: there is no parameter \"instance\"; did you mean \"instances\"?"},
		"manifests elsewhere that hold nothing": {func(c change) {
			own(func(c *v1alpha1.Container) { c.ManifestsFrom = &v1alpha1.ManifestsFrom{FilesFrom: *fromWeb()} })(c)
			c.in.Found = map[sources.Origin]sources.Found{{ConfigMap: "web"}: {Files: sources.Files{"a.yaml": "# none"}}}
		}, inCache + "template \"cache\" container.manifestsFrom: its files hold no objects; add some"},
		"an artifact by a tag": {func(c change) {
			own(func(c *v1alpha1.Container) { c.Chart = &v1alpha1.Chart{FilesFrom: artifactOf("r.example.com/web:1")} })(c)
		}, inChart + `"r.example.com/web:1" does not name an artifact by its digest, and what a tag means may change; write it as registry.example.com/path@sha256:...`},
		"an artifact that cannot be had": {func(c change) {
			from := artifactOf("r.example.com/web@" + anyDigest)
			own(func(c *v1alpha1.Container) { c.Chart = &v1alpha1.Chart{FilesFrom: from} })(c)
			c.in.Found = map[sources.Origin]sources.Found{
				{Artifact: sources.Artifact{Image: from.OCI.Image, Secret: "pull"}}: {Err: &sources.Error{Problem: "the registry has no such thing", Remedy: "push it"}},
			}
		}, inChart + `the registry has no such thing; push it`},
		"a path that is not there": {func(c change) {
			own(func(c *v1alpha1.Container) {
				c.ManifestsFrom = &v1alpha1.ManifestsFrom{FilesFrom: *fromWeb(), Path: "prod"}
			})(c)
			c.in.Found = map[sources.Origin]sources.Found{{ConfigMap: "web"}: {Files: sources.Files{"test/a.yaml": ""}}}
		}, inCache + "template \"cache\" container.manifestsFrom: there is no directory \"prod\" among the files; correct the path; there are test"},
		"a chart that gives nothing": {own(func(c *v1alpha1.Container) { c.Chart = webChart("hidden: true") }), inChart + `it gives no objects; correct what switches them off`},
		"values that are not a map": {own(func(c *v1alpha1.Container) { c.Chart = webChart("a: [") }),
			inCache + `template "cache" container.chart values: it is not a map in valid YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content; correct it; an expression that holds ` + "`: `, ` #` or quotes must itself stand in quotes"},
		"a wrong expression in values": {own(func(c *v1alpha1.Container) { c.Chart = webChart("a: {b: '${params.instance}'}") }),
			inCache + `template "cache" container.chart values: a.b: column 3: there is no parameter "instance"; did you mean "instances"?`},
		"a Secret in a chart": {own(func(c *v1alpha1.Container) {
			c.Chart = webChart("")
			c.Chart.Files["templates/a.yaml"] = "{apiVersion: v1, kind: Secret, metadata: {name: a}}"
		}), inChart + `Secret/a: kind Secret is not allowed in manifests; declare it under product.spec.secrets`},
	}.run(t)
}

const anyDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func artifactOf(image string) *v1alpha1.FilesFrom {
	return &v1alpha1.FilesFrom{OCI: &v1alpha1.OCIFiles{Image: image, SecretRef: &v1alpha1.SecretReference{Name: "pull"}}}
}
