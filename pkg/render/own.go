package render

import (
	"fmt"

	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/manifest"
	sources "spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/source/helm"
	"spock.dev/spock/pkg/source/kustomize"
)

// ownObjects says whether the template brings the objects that run the service.
func ownObjects(c *v1alpha1.Container) bool {
	return c != nil && (len(c.Manifests) > 0 || c.Kustomize != nil || c.Chart != nil)
}

// ownManifests reads the objects that the template brings.
func (b *builder) ownManifests() {
	c := b.settled.template.Spec.Container
	for i, text := range c.Manifests {
		field := fmt.Sprintf("%s container.manifests[%d]", b.templateField(), i)
		b.adoptAll(field, text, b.substitute(field))
	}
	if c.Kustomize != nil {
		b.kustomize(b.templateField()+" container.kustomize", c.Kustomize)
	}
	if c.Chart != nil {
		b.chart(b.templateField()+" container.chart", c.Chart)
	}
}

// kustomize builds a directory, and then replaces the expressions: what was built is the
// same for every service of the namespace.
func (b *builder) kustomize(field string, k *v1alpha1.Kustomize) {
	key := sources.KeyOf(k.Files, "kustomize", k.Path, b.in.Namespace)
	text, err := b.in.Sources.Render(key, func() (string, error) { return kustomize.Render(k.Files, k.Path, b.in.Namespace) })
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	substitute := b.substitute(field)
	if k.Literal {
		substitute = asItIs
	}
	b.adoptAll(field, text, substitute)
}

// chart renders a Helm chart. Its templates have a language of their own, so expressions
// stand in the values alone.
func (b *builder) chart(field string, c *v1alpha1.Chart) {
	values, err := manifest.Values(c.Values, b.substitute(field+" values"))
	if err != nil {
		b.problems.wrap(field+" values", err)
		return
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		b.problems.wrap(field+" values", fmt.Errorf("write the values: %w", err))
		return
	}
	release := helm.Release{Name: b.out.Name, Namespace: b.in.Namespace, Values: string(text)}
	key := sources.KeyOf(c.Files, "chart", release.Name, release.Namespace, release.Values)
	objects, err := b.in.Sources.Render(key, func() (string, error) { return helm.Render(c.Files, release) })
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	b.adoptAll(field, objects, asItIs)
}

// substitute evaluates the expressions of a field.
func (b *builder) substitute(field string) manifest.Substitute {
	return func(text string, asText bool) (any, error) {
		result, err := b.evaluate(field, text)
		if asText {
			return result.Text(), err
		}
		return result.Value, err
	}
}

// asItIs keeps text as it is.
func asItIs(text string, _ bool) (any, error) { return text, nil }

// adoptAll reads manifests and puts their objects where they belong.
func (b *builder) adoptAll(field, text string, substitute manifest.Substitute) {
	objects, err := manifest.Parse(text, b.in.Namespace, substitute)
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	if len(objects) == 0 && len(b.settled.template.Spec.Container.Manifests) == 0 {
		b.problems.add(field, "correct what switches them off", "it gives no objects")
	}
	for _, object := range objects {
		b.adopt(field, object)
	}
}
