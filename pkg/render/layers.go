package render

import (
	"fmt"
	"sort"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// Layer is a source of values.
type Layer string

// The layers, weakest first.
const (
	LayerTemplate    Layer = "Template"
	LayerProduct     Layer = "Product"
	LayerClass       Layer = "Class"
	LayerEnvironment Layer = "Environment"
	LayerRun         Layer = "Run"
)

// source is what one place of a layer says about a service.
type source struct {
	layer Layer
	field string
	// general values hold for every service whose template declares them.
	general bool
	values  v1alpha1.ServiceOverride
}

// layers are the sources that stand outside the product, by the service they speak of.
type layers struct {
	class, environment    source
	byClass, byEnv, byRun map[string]source
}

func newLayers(in Input) layers {
	env, class := in.Environment.Spec, in.Class.Spec
	l := layers{
		class:       general(LayerClass, "class.spec", class.Parameters),
		environment: general(LayerEnvironment, "environment.spec", env.Parameters),
		byClass:     overrides(LayerClass, "class.spec.services", class.Services),
		byEnv:       overrides(LayerEnvironment, "environment.spec.services", env.Services),
	}
	if env.Run != nil {
		l.byRun = overrides(LayerRun, "environment.spec.run.services", env.Run.Services)
	}
	return l
}

func general(layer Layer, field string, parameters map[string]apiextensionsv1.JSON) source {
	return source{layer: layer, field: field, general: true, values: v1alpha1.ServiceOverride{Parameters: parameters}}
}

func overrides(layer Layer, field string, list []v1alpha1.ServiceOverride) map[string]source {
	out := make(map[string]source, len(list))
	for i, override := range list {
		out[override.Name] = source{layer: layer, field: fmt.Sprintf("%s[%d] (%s)", field, i, override.Name), values: override}
	}
	return out
}

// of returns the sources of a service, weakest first, without its template.
func (l layers) of(m *member) []source {
	out := []source{{layer: LayerProduct, field: m.field, values: v1alpha1.ServiceOverride{
		Image: m.service.Image, Images: m.service.Images, Target: m.service.Target, Parameters: m.service.Parameters, Env: m.service.Env, Replicas: m.service.Replicas,
	}}, l.class}
	out = appendKnown(out, l.byClass, m.service.Name)
	out = append(out, l.environment)
	out = appendKnown(out, l.byEnv, m.service.Name)
	return appendKnown(out, l.byRun, m.service.Name)
}

func appendKnown(out []source, by map[string]source, name string) []source {
	if s, ok := by[name]; ok {
		return append(out, s)
	}
	return out
}

// checkServices refuses values for services that the product does not have. A class
// serves many products, so what it says of other products' services is not for us.
func (l layers) checkServices(services []string, p *problems) {
	for _, by := range []map[string]source{l.byEnv, l.byRun} {
		for _, name := range unknown(by, services) {
			p.add(by[name].field, nearest.Hint(name, services, ""), "the product has no service %q", name)
		}
	}
}

// checkParameters refuses general parameters that no template declares: they would
// silently do nothing. Those of a class may be for another product.
func (l layers) checkParameters(parameters []string, p *problems) {
	s := l.environment
	for _, name := range unknown(s.values.Parameters, parameters) {
		p.add(s.field+": parameter "+name, nearest.Hint(name, parameters, "remove it, no template declares parameters"),
			"no template of the product declares it")
	}
}

// unknown returns the keys that are not known, sorted.
func unknown[V any](have map[string]V, known []string) []string {
	set := make(map[string]bool, len(known))
	for _, name := range known {
		set[name] = true
	}
	var out []string
	for name := range have {
		if !set[name] {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}
