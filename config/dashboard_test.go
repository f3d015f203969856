package config_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// extension is what the Tekton Dashboard reads. Its own CRD checks nothing.
type extension struct {
	APIVersion, Kind string
	Metadata         struct {
		Name, Namespace string
		Labels          map[string]string
	}
	Spec struct {
		APIVersion, Name, DisplayName string
		Namespaced                    bool
	}
}

// The Dashboard shows every kind there is, as what it is, and may look at each.
func TestTheDashboardShowsEveryKind(t *testing.T) {
	t.Parallel()
	want, may := map[string]bool{}, []string{}
	for _, m := range manifests(t) {
		switch o := m.object.(type) {
		case *apiextensionsv1.CustomResourceDefinition:
			want[o.Spec.Names.Plural] = o.Spec.Scope == apiextensionsv1.NamespaceScoped
		case *rbacv1.ClusterRole:
			if o.Labels["rbac.dashboard.tekton.dev/aggregate-to-dashboard"] != "true" {
				continue
			}
			for _, rule := range o.Rules {
				may = append(may, rule.Resources...)
				if diff := cmp.Diff([]string{"get", "list", "watch"}, rule.Verbs); diff != "" {
					t.Errorf("%s: the Dashboard looks (-want +got):\n%s", m.file, diff)
				}
			}
		}
	}
	got := map[string]bool{}
	for _, document := range documents(t, filepath.Join("..", "dashboard", "extensions.yaml")) {
		var e extension
		if err := yaml.UnmarshalStrict(document, &e); err != nil {
			t.Fatal(err)
		}
		if e.APIVersion != "dashboard.tekton.dev/v1alpha1" || e.Kind != "Extension" || e.Spec.APIVersion != "spock.dev/v1alpha1" ||
			e.Metadata.Name != "spock-"+e.Spec.Name || e.Spec.DisplayName == "" {
			t.Errorf("extension %+v", e)
		}
		got[e.Spec.Name] = e.Spec.Namespaced
		if !slices.Contains(may, e.Spec.Name) {
			t.Errorf("the Dashboard may not look at %s", e.Spec.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}
