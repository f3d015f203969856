package render

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
)

// unnamed stands for the environment, namespace, class and domain of a draft.
const unnamed = "draft"

// Draft is the input for a product alone, whatever environment is made of it. What is wrong
// with it is wrong in all of them.
func Draft(product *v1alpha1.Product, templates map[string]*v1alpha1.ServiceTemplate) Input {
	return Input{
		Product: product, Templates: templates, Namespace: unnamed, Draft: true,
		Class: &v1alpha1.EnvironmentClass{ObjectMeta: v1.ObjectMeta{Name: unnamed}, Spec: v1alpha1.EnvironmentClassSpec{Domain: unnamed + ".example"}},
		Environment: &v1alpha1.Environment{
			ObjectMeta: v1.ObjectMeta{Name: unnamed, Namespace: product.Namespace},
			Spec:       v1alpha1.EnvironmentSpec{Product: product.Name, Class: unnamed},
		},
	}
}

// stand is a value that a parameter could have. What is made of it means nothing: the
// service is open.
func stand(parameter v1alpha1.Parameter) any {
	switch parameter.Type {
	case v1alpha1.ParameterInteger:
		return int64(1)
	case v1alpha1.ParameterBoolean:
		return true
	case v1alpha1.ParameterQuantity:
		return "1"
	case v1alpha1.ParameterImage:
		return draftImage
	case v1alpha1.ParameterEnum:
		if len(parameter.Values) > 0 {
			return parameter.Values[0]
		}
	}
	return unnamed
}

const draftImage = "registry.example/" + unnamed

// leave stops telling of a service that waits for values or files of an environment: what
// seems wrong may come from what stands for them. Expressions are still read.
func (b *builder) leave() {
	b.open = true
	b.problems = &problems{}
}

// somewhere stands for the machines of a draft.
func (r *roster) somewhere(services []*settled) {
	for _, s := range services {
		if s.onHost() {
			s.places = []placement.Host{{Name: unnamed, Address: "192.0.2.1"}}
		}
	}
}
