package target

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ErrNotSynced says that a watch has not delivered its first list yet. The target
// reports a change when it has.
var ErrNotSynced = errors.New("the watches are not in sync yet")

// KindError says that objects of a kind cannot be handled.
type KindError struct {
	Kind schema.GroupVersionKind
	Err  error
}

// Error names the kind and the reason.
func (e *KindError) Error() string {
	return fmt.Sprintf("kind %s of %s: %v", e.Kind.Kind, e.Kind.GroupVersion(), e.Err)
}

// Unwrap returns the reason.
func (e *KindError) Unwrap() error { return e.Err }
