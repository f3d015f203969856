package scaffold_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/scaffold"
)

var update = flag.Bool("update", false, "write the golden files anew")

func environment() *v1alpha1.Environment {
	return &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop", UID: "uid-1"},
		Spec:       v1alpha1.EnvironmentSpec{ServiceAccountName: "deployer"},
	}
}

func class() *v1alpha1.EnvironmentClass {
	return &v1alpha1.EnvironmentClass{ObjectMeta: metav1.ObjectMeta{Name: "dev"}, Spec: v1alpha1.EnvironmentClassSpec{Domain: "dev.example.com"}}
}

func full() *v1alpha1.EnvironmentClass {
	c := class()
	c.Spec.DeployerRole = "team-deployer"
	c.Spec.Quota = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("40"), corev1.ResourceMemory: resource.MustParse("8Gi")}
	c.Spec.DefaultRequests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")}
	c.Spec.DefaultLimits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")}
	c.Spec.Isolated, c.Spec.IngressNamespaces = true, []string{"ingress", "monitoring"}
	return c
}

func secrets() []v1alpha1.GeneratedSecret {
	return []v1alpha1.GeneratedSecret{{Name: "db", Keys: []string{"password"}}}
}

func build(t *testing.T, env *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, s []v1alpha1.GeneratedSecret) *scaffold.Scaffold {
	t.Helper()
	got, err := scaffold.For(env, c, s)
	if err != nil {
		t.Fatalf("For() failed: %v", err)
	}
	return got
}

func TestForIsAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*v1alpha1.EnvironmentClass{"plain": class(), "full": full()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := build(t, environment(), c, secrets())
			parts := []any{s.Namespace}
			for _, o := range s.Objects {
				parts = append(parts, o.Object)
			}
			var out []string
			for _, part := range parts {
				text, err := yaml.Marshal(part)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, string(text))
			}
			compare(t, filepath.Join("testdata", name+".yaml"), strings.Join(out, "---\n"))
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestTheHashChangesWithTheScaffoldAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*v1alpha1.Environment, *v1alpha1.EnvironmentClass, *[]v1alpha1.GeneratedSecret)
		same   bool
	}{
		"nothing": {func(*v1alpha1.Environment, *v1alpha1.EnvironmentClass, *[]v1alpha1.GeneratedSecret) {}, true},
		"the product": {func(e *v1alpha1.Environment, _ *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			e.Spec.Product = "other"
		}, true},
		"the domain": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			c.Spec.Domain = "x"
		}, true},
		"the account": {func(e *v1alpha1.Environment, _ *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			e.Spec.ServiceAccountName = ""
		}, false},
		"the role": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			c.Spec.DeployerRole = "x"
		}, false},
		"the quota": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			delete(c.Spec.Quota, "pods")
		}, false},
		"no limits": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			c.Spec.DefaultLimits = nil
		}, false},
		"no isolation": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			c.Spec.Isolated = false
		}, false},
		"who may reach it": {func(_ *v1alpha1.Environment, c *v1alpha1.EnvironmentClass, _ *[]v1alpha1.GeneratedSecret) {
			c.Spec.IngressNamespaces = nil
		}, false},
		"a key of a secret": {func(_ *v1alpha1.Environment, _ *v1alpha1.EnvironmentClass, s *[]v1alpha1.GeneratedSecret) {
			(*s)[0].Keys = []string{"token"}
		}, false},
		"one secret the less": {func(_ *v1alpha1.Environment, _ *v1alpha1.EnvironmentClass, s *[]v1alpha1.GeneratedSecret) { *s = nil }, false},
	}
	before := build(t, environment(), full(), secrets()).Hash
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, c, s := environment(), full(), secrets()
			tc.change(e, c, &s)
			if same := build(t, e, c, s).Hash == before; same != tc.same {
				t.Errorf("the hash stays: %t, want %t", same, tc.same)
			}
		})
	}
}

// Only what an environment's own uid marks is taken down or pruned with it; the scaffold
// goes with the namespace.
func TestOnlyTheNamespaceIsMarkedAsOwned(t *testing.T) {
	t.Parallel()
	s := build(t, environment(), full(), nil)
	if got := s.Namespace.Annotations[v1alpha1.AnnotationEnvironmentUID]; got != "uid-1" {
		t.Errorf("the namespace belongs to %q", got)
	}
	if _, marked := s.Namespace.Annotations[scaffold.AnnotationHash]; marked {
		t.Error("the namespace says that the scaffold stands before it is written")
	}
	for _, o := range s.Objects {
		if _, owned := o.GetAnnotations()[v1alpha1.AnnotationEnvironmentUID]; owned {
			t.Errorf("%s is marked as the environment's own", o.GetKind())
		}
		if o.GetNamespace() != "team-a-shop" || o.GetLabels()[v1alpha1.LabelEnvironment] != "shop" {
			t.Errorf("%s stands in %s with labels %v", o.GetKind(), o.GetNamespace(), o.GetLabels())
		}
	}
}
