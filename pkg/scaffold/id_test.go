package scaffold_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/scaffold"
)

func object(apiVersion, kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name},
	}}
}

func TestIDsAreReadBack(t *testing.T) {
	t.Parallel()
	s := scaffold.Scaffold{Objects: []*unstructured.Unstructured{
		object("v1", "ResourceQuota", "environment"), object("rbac.authorization.k8s.io/v1", "RoleBinding", "deployer"),
	}}
	want := []string{"/v1/ResourceQuota/environment", "rbac.authorization.k8s.io/v1/RoleBinding/deployer"}
	if diff := cmp.Diff(want, s.IDs()); diff != "" {
		t.Fatalf("IDs (-want +got):\n%s", diff)
	}
	for i, id := range s.IDs() {
		kind, name, err := scaffold.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		if o := s.Objects[i]; kind != o.GroupVersionKind() || name != o.GetName() {
			t.Errorf("ParseID(%q) = %s %q, want %s %q", id, kind, name, o.GroupVersionKind(), o.GetName())
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "Role/x", "a/v1/Kind/", "a/v1/Kind/x/y"} {
		if _, _, err := scaffold.ParseID(id); err == nil {
			t.Errorf("ParseID(%q) is no error", id)
		}
	}
}
