package render

import (
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/manifest"
	sources "spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/source/helm"
	"spock.dev/spock/pkg/source/kustomize"
)

// ownObjects says whether the template brings the objects that run the service.
func ownObjects(c *v1alpha1.Container) bool {
	return c != nil && (len(c.Manifests) > 0 || c.ManifestsFrom != nil || c.Kustomize != nil || c.Chart != nil)
}

// Origins are where the files are of all services of an environment that do not stand in
// the templates, each once, in product order. What cannot be read is left out: rendering
// tells of it.
func Origins(in Input) []sources.Origin {
	var out []sources.Origin
	only := in.Environment.Spec.Only
	for _, group := range in.Product.Spec.Groups {
		for _, s := range group.Services {
			template := in.Templates[s.Template]
			if template == nil || template.Spec.Container == nil || len(only) > 0 && !slices.Contains(only, s.Name) {
				continue
			}
			from, ok := origin(template.Spec.Container)
			if ok && from.Wrong() == nil && !slices.Contains(out, from) {
				out = append(out, from)
			}
		}
	}
	return out
}

// origin is where the template's files are; none when they stand in it.
func origin(c *v1alpha1.Container) (sources.Origin, bool) {
	switch {
	case c.ManifestsFrom != nil:
		return originOf(&c.ManifestsFrom.FilesFrom)
	case c.Kustomize != nil:
		return originOf(c.Kustomize.FilesFrom)
	case c.Chart != nil:
		return originOf(c.Chart.FilesFrom)
	}
	return sources.Origin{}, false
}

func originOf(from *v1alpha1.FilesFrom) (sources.Origin, bool) {
	switch {
	case from != nil && from.ConfigMap != nil:
		return sources.Origin{ConfigMap: from.ConfigMap.Name}, true
	case from != nil && from.OCI != nil:
		artifact := sources.Artifact{Image: from.OCI.Image, Insecure: from.OCI.Insecure}
		if from.OCI.SecretRef != nil {
			artifact.Secret = from.OCI.SecretRef.Name
		}
		return sources.Origin{Artifact: artifact}, true
	}
	return sources.Origin{}, false
}

// ownManifests reads the objects that the template brings.
func (b *builder) ownManifests() {
	c := b.settled.template.Spec.Container
	for i, text := range c.Manifests {
		field := fmt.Sprintf("%s container.manifests[%d]", b.templateField(), i)
		b.adoptAll(field, text, b.substitute(field))
	}
	switch {
	case c.ManifestsFrom != nil:
		b.manifestsFrom(b.templateField()+" container.manifestsFrom", c.ManifestsFrom)
	case c.Kustomize != nil:
		b.kustomize(b.templateField()+" container.kustomize", c.Kustomize)
	case c.Chart != nil:
		b.chart(b.templateField()+" container.chart", c.Chart)
	}
}

// files are those that stand in the template, or those of where it says they are.
func (b *builder) files(field string, inline sources.Files, from *v1alpha1.FilesFrom) (sources.Files, bool) {
	where, elsewhere := originOf(from)
	if !elsewhere {
		return inline, true
	}
	found, ok := b.in.Found[where]
	if err := where.Wrong(); err != nil {
		found.Err = err
	} else if !ok && b.in.Draft {
		b.leave()
		return nil, false
	} else if !ok {
		found.Err = fmt.Errorf("%s was not read", where) // a mistake of the caller
	}
	if found.Err != nil {
		b.problems.wrap(field, found.Err)
		return nil, false
	}
	return found.Files, true
}

// manifestsFrom reads the objects of a directory of manifests.
func (b *builder) manifestsFrom(field string, m *v1alpha1.ManifestsFrom) {
	files, ok := b.files(field, nil, &m.FilesFrom)
	if !ok {
		return
	}
	files, err := sources.Below(files, m.Path)
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	names, err := sources.Manifests(files)
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	before := len(b.out.Passive) + len(b.out.Workloads)
	for _, name := range names {
		in := field + " file " + name
		substitute := b.substitute(in)
		if m.Literal {
			substitute = asItIs
		}
		b.adoptAll(in, files[name], substitute)
	}
	if before == len(b.out.Passive)+len(b.out.Workloads) && !b.problems.any() {
		b.problems.add(field, "add some", "its files hold no objects")
	}
}

// kustomize builds a directory, and then replaces the expressions: what was built is the
// same for every service of the namespace.
func (b *builder) kustomize(field string, k *v1alpha1.Kustomize) {
	files, ok := b.files(field, k.Files, k.FilesFrom)
	if !ok {
		return
	}
	key := sources.KeyOf(files, "kustomize", k.Path, b.in.Namespace)
	text, err := b.in.Sources.Render(key, func() (string, error) { return kustomize.Render(files, k.Path, b.in.Namespace) })
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	substitute := b.substitute(field)
	if k.Literal {
		substitute = asItIs
	}
	b.adoptSome(field, text, substitute)
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
	files, ok := b.files(field, c.Files, c.FilesFrom)
	if !ok {
		return
	}
	if files, err = sources.Chart(files, c.Path); err != nil {
		b.problems.wrap(field, err)
		return
	}
	release := helm.Release{Name: b.out.Name, Namespace: b.in.Namespace, Values: string(text)}
	key := sources.KeyOf(files, "chart", release.Name, release.Namespace, release.Values)
	objects, err := b.in.Sources.Render(key, func() (string, error) { return helm.Render(files, release) })
	if err != nil {
		b.problems.wrap(field, err)
		return
	}
	b.adoptSome(field, objects, asItIs)
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

// adoptSome reads what was built, which is to hold something.
func (b *builder) adoptSome(field, text string, substitute manifest.Substitute) {
	if n, ok := b.adoptAll(field, text, substitute); ok && n == 0 {
		b.problems.add(field, "correct what switches them off", "it gives no objects")
	}
}

// adoptAll reads manifests and puts their objects where they belong.
func (b *builder) adoptAll(field, text string, substitute manifest.Substitute) (n int, ok bool) {
	objects, err := manifest.Parse(text, b.in.Namespace, substitute)
	if err != nil {
		b.problems.wrap(field, err)
		return 0, false
	}
	for _, object := range objects {
		b.adopt(field, object)
	}
	return len(objects), true
}
