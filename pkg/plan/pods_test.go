package plan_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

func TestPodsCarryTheHashOfTheirTemplate(t *testing.T) {
	t.Parallel()
	mark := func(changes ...func(*render.Service)) string {
		t.Helper()
		s := service("api")
		set(s.Workloads[0], "registry/api:1", "spec", "template", "spec", "nodeName")
		for _, change := range changes {
			change(&s)
		}
		o := nodeOf(t, compute(t, input(byGroups, group("apps", s))), "api").Objects[0]
		there, _, _ := unstructured.NestedString(o.Desired.Object, "spec", "template", "metadata", "annotations", v1alpha1.AnnotationPodHash)
		if o.PodHash == "" || there != o.PodHash {
			t.Fatalf("PodHash is %q, the template carries %q; want the same, not empty", o.PodHash, there)
		}
		return there
	}
	first := mark()
	if again := mark(func(s *render.Service) { set(s.Workloads[0], int64(3), "spec", "replicas") }); again != first {
		t.Errorf("the mark changed from %s to %s with the replicas: the pods would be replaced", first, again)
	}
	if again := mark(func(s *render.Service) { set(s.Workloads[0], "x", "spec", "template", "spec", "nodeName") }); again == first {
		t.Error("the mark stayed when the template changed")
	}
}

func nodeOf(t *testing.T, p *plan.Plan, name string) plan.Node {
	t.Helper()
	for _, n := range p.Nodes {
		if n.Name == name {
			return n
		}
	}
	t.Fatalf("no node %s in the plan", name)
	return plan.Node{}
}
