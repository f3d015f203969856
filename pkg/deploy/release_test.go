package deploy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
)

const (
	orders = "registry.example.com/orders@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	web    = "registry.example.com/web@sha256:06f961b802bc46ee168555f066d28f4f0e9afdf3f88174c1ee6f9de004fc30a0"
)

// tested is an environment that is ready.
func tested(change func(*v1alpha1.Environment)) *v1alpha1.Environment {
	e := &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "int", Generation: 3},
		Spec:       v1alpha1.EnvironmentSpec{Product: "shop", Class: "int"},
		Status: v1alpha1.EnvironmentStatus{
			Phase: v1alpha1.PhaseReady, Run: "int-7",
			Services: []v1alpha1.ServiceStatus{{Name: "kafka-topic"}, {Name: "orders", Image: orders}, {Name: "web", Image: web}},
		},
	}
	e.Status.ObservedGeneration = 3
	if change != nil {
		change(e)
	}
	return e
}

func TestAReleaseTakesTheImagesThatRunElsewhere(t *testing.T) {
	t.Parallel()
	staging := Request{Namespace: "team-a", Environment: "staging", Product: "shop", Class: "staging", From: "int"}
	newer := staging
	newer.Services, newer.Source = []v1alpha1.ServiceOverride{{Name: "web", Image: "registry.example.com/web:2"}}, "release 1.4"
	for _, c := range []struct {
		name     string
		request  Request
		from     func(*v1alpha1.Environment)
		services []v1alpha1.ServiceOverride
		source   string
		refused  string
	}{
		{name: "digests", request: staging, source: "run int-7 of int",
			services: []v1alpha1.ServiceOverride{{Name: "orders", Image: orders}, {Name: "web", Image: web}}},
		{name: "an image of its own", request: newer, source: "release 1.4",
			from:     func(e *v1alpha1.Environment) { e.Status.Services[2].Image = "registry.example.com/web:1" },
			services: []v1alpha1.ServiceOverride{{Name: "web", Image: "registry.example.com/web:2"}, {Name: "orders", Image: orders}}},
		{name: "a tag", request: staging, from: func(e *v1alpha1.Environment) { e.Status.Services[2].Image = "registry.example.com/web:1" },
			refused: "environment team-a/int: a release takes digests, and web has registry.example.com/web:1, which may be another image tomorrow; deploy it there by digest, or name the images here as services: refused"},
		{name: "single containers", request: staging, source: "run int-7 of int",
			from: func(e *v1alpha1.Environment) {
				e.Spec.Services = []v1alpha1.ServiceOverride{{Name: "kafka-topic", Images: map[string]string{"a": web, "b": web}}}
				e.Spec.Run = &v1alpha1.RunLayer{Services: []v1alpha1.ServiceOverride{{Name: "kafka-topic", Images: map[string]string{"b": orders}}}}
			},
			services: []v1alpha1.ServiceOverride{
				{Name: "kafka-topic", Images: map[string]string{"a": web, "b": orders}}, {Name: "orders", Image: orders}, {Name: "web", Image: web},
			}},
		{name: "failed", request: staging, from: func(e *v1alpha1.Environment) { e.Status.Phase = v1alpha1.PhaseFailed },
			refused: "environment team-a/int: it is Failed, and only one that is Ready is released; wait for it, or name another one: refused"},
		{name: "changed since", request: staging, from: func(e *v1alpha1.Environment) { e.Generation = 4 },
			refused: "environment team-a/int: it is on its way, and only one that is Ready is released; wait for it, or name another one: refused"},
		{name: "another product", request: staging, from: func(e *v1alpha1.Environment) { e.Spec.Product = "bank" },
			refused: "environment team-a/int: it is an instance of product bank, not shop; name one of the same product: refused"},
		{name: "itself", request: Request{Namespace: "team-a", Environment: "int", Product: "shop", Class: "int", From: "int"},
			refused: "environment team-a/int: it is the environment that is to be deployed; name another one to take the images from: refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Resolve(context.Background(), fake.NewSimpleClientset(tested(c.from)), c.request)
			if c.refused != "" {
				if !errors.Is(err, ErrRefused) || err.Error() != c.refused {
					t.Fatalf("refused with\n%v\nwant\n%s", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.services, got.Services); diff != "" || got.Source != c.source {
				t.Errorf("source %q, want %q; services (- want, + got):\n%s", got.Source, c.source, diff)
			}
		})
	}
}

func TestAReleaseOfNothingIsNone(t *testing.T) {
	t.Parallel()
	_, err := Resolve(context.Background(), fake.NewSimpleClientset(), Request{Namespace: "team-a", Environment: "staging", Product: "shop", From: "int"})
	if err == nil || !strings.Contains(err.Error(), `read environment team-a/int, whose images are to be taken: environments.spock.dev "int" not found`) {
		t.Errorf("got %v", err)
	}
}
