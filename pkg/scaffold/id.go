package scaffold

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// AnnotationObjects on the namespace lists the IDs of what stands in it, so that what a
// changed class does not want any more is taken away: old rights and limits do not stay.
const AnnotationObjects = "spock.dev/scaffold-objects"

// IDs name the objects of the scaffold, `group/version/kind/name` each, without blanks.
func (s *Scaffold) IDs() []string {
	ids := make([]string, 0, len(s.Objects))
	for _, o := range s.Objects {
		gvk := o.GroupVersionKind()
		ids = append(ids, strings.Join([]string{gvk.Group, gvk.Version, gvk.Kind, o.GetName()}, "/"))
	}
	return ids
}

// ParseID reads an ID.
func ParseID(id string) (schema.GroupVersionKind, string, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 || parts[1] == "" || parts[2] == "" || parts[3] == "" {
		return schema.GroupVersionKind{}, "", fmt.Errorf("%q is not group/version/kind/name", id)
	}
	return schema.GroupVersionKind{Group: parts[0], Version: parts[1], Kind: parts[2]}, parts[3], nil
}
