package target_test

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

func TestOwned(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		annotations map[string]string
		want        bool
	}{
		"its own":      {map[string]string{v1alpha1.AnnotationEnvironmentUID: "uid-1"}, true},
		"a namesake's": {map[string]string{v1alpha1.AnnotationEnvironmentUID: "uid-0"}, false},
		"nobody's":     {nil, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &unstructured.Unstructured{Object: map[string]any{}}
			o.SetAnnotations(tc.annotations)
			if got := target.Owned(target.Scope{UID: "uid-1"}, o); got != tc.want {
				t.Errorf("Owned() = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestAnnotation(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if got := target.Annotation(o, "a"); got != "" {
		t.Errorf("Annotation() of nothing = %q", got)
	}
	o.SetAnnotations(map[string]string{"a": "b"})
	if got, other := target.Annotation(o, "a"), target.Annotation(o, "c"); got != "b" || other != "" {
		t.Errorf("Annotation() = %q, and %q of another name", got, other)
	}
}

func TestAKindErrorNamesKindAndReason(t *testing.T) {
	t.Parallel()
	reason := errors.New("it is not served")
	err := &target.KindError{Kind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Queue"}, Err: reason}
	if got, want := err.Error(), "kind Queue of example.com/v1: it is not served"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, reason) {
		t.Error("the reason is lost")
	}
}
