package work

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Plain are the objects of a service without types, as most engines take them. What a typed
// object carries that nobody wrote is left out.
func (s Service) Plain(namespace string) ([]*unstructured.Unstructured, error) {
	config, address, deployment := s.Objects(namespace)
	var all []*unstructured.Unstructured
	for _, o := range []runtime.Object{config, address, deployment} {
		raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return nil, fmt.Errorf("describe service %s: %w", s.Name, err)
		}
		for _, path := range [][]string{{"status"}, {"metadata", "creationTimestamp"}, {"spec", "template", "metadata", "creationTimestamp"}} {
			unstructured.RemoveNestedField(raw, path...)
		}
		all = append(all, &unstructured.Unstructured{Object: raw})
	}
	return all, nil
}
