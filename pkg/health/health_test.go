package health_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// judged is one row of a table: a live object, and what is said about it.
type judged struct {
	object string
	rules  []v1alpha1.ReadyRule
	want   health.State
	// says is the message, word by word.
	says string
	// class of the cause; empty when the verdict has none.
	class v1alpha1.CauseClass
}

func checkVerdicts(t *testing.T, table map[string]judged) {
	t.Helper()
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := health.Of(object(t, row.object), row.rules)
			if got.State != row.want {
				t.Errorf("state is %s (%s), want %s", got.State, got.Message, row.want)
			}
			if diff := cmp.Diff(row.says, got.Message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			checkCause(t, got.Cause, row.class)
		})
	}
}

// checkCause wants a cause of a class, complete with sentence and next step.
func checkCause(t *testing.T, got *v1alpha1.Cause, class v1alpha1.CauseClass) {
	t.Helper()
	switch {
	case class == "" && got != nil:
		t.Errorf("has a cause of class %s (%s), want none", got.Class, got.Message)
	case class == "":
	case got == nil:
		t.Errorf("has no cause, want class %s", class)
	case got.Class != class:
		t.Errorf("class is %s (%s), want %s", got.Class, got.Message, class)
	case got.Message == "" || got.Hint == "":
		t.Errorf("cause %+v lacks its message or its hint", *got)
	}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("reading the test's object: %v\n%s", err, text)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(content); err != nil {
		t.Fatalf("reading the test's object: %v\n%s", err, text)
	}
	return obj
}
