package examples

import (
	"path/filepath"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/render"
)

// The shop's class mixed has the database on a machine, and all else as it was.
func TestTheShopRendersWithItsDatabaseOnAMachine(t *testing.T) {
	t.Parallel()
	shop := filepath.Join("..", "..", "examples", "shop")
	held := read(t, filepath.Join(shop, "spock"))
	for _, document := range documents(t, filepath.Join(shop, "mixed", "class.yaml")) {
		if err := held.add(document); err != nil {
			t.Fatal(err)
		}
	}
	environment := held.environments[0].DeepCopy()
	environment.Spec.Class = "mixed"
	class := held.classes["mixed"]
	rendered, err := render.Product(render.Input{
		Product: held.products["shop"], Templates: held.templates, Class: class, Environment: environment, Namespace: "team-a-sample",
		Hosts: []placement.Host{{Name: "db1", Address: "10.0.0.11", Ports: map[int32]string{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkQuota(t, environment.Name, class.Spec, rendered)
	for _, service := range rendered.Services {
		for _, o := range service.Workloads {
			if onHost := o.GetKind() == v1alpha1.KindHostService; onHost != (service.Name == "postgres") {
				t.Errorf("service %s has a %s", service.Name, o.GetKind())
			}
		}
	}
}
