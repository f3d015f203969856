package health

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Refusal reads the cluster's answer to a write. It is nil when there was no error, or
// when the same write may succeed a moment later: the server is busy or cannot be
// reached, the namespace is not there yet or going away, somebody else wrote first.
//
// The cause has no object: the caller knows what it wrote.
func Refusal(err error) *v1alpha1.Cause {
	if err == nil {
		return nil
	}
	var noKind *meta.NoKindMatchError
	if errors.As(err, &noKind) {
		return unknownKind(noKind.Error())
	}
	status, isStatus := asStatus(err)
	if !isStatus || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	switch {
	case strings.Contains(status.Message, "failed to create typed patch object"):
		return invalidSchema(status.Message)
	case strings.Contains(status.Message, "failed calling webhook"):
		return nil
	}
	if cause := policyDenial(status.Message); cause != nil {
		return cause
	}
	return byReason(status)
}

func asStatus(err error) (metav1.Status, bool) {
	var answered apierrors.APIStatus
	if !errors.As(err, &answered) {
		return metav1.Status{}, false
	}
	return answered.Status(), true
}

func byReason(status metav1.Status) *v1alpha1.Cause {
	switch status.Reason {
	case metav1.StatusReasonForbidden:
		return forbidden(status.Message)
	case metav1.StatusReasonInvalid:
		return invalid(status)
	case metav1.StatusReasonBadRequest:
		return invalidSchema(status.Message)
	case metav1.StatusReasonConflict:
		return foreignOwner(status)
	case metav1.StatusReasonAlreadyExists:
		return &v1alpha1.Cause{Class: v1alpha1.CauseConflict, Message: "the object exists already: " + oneLine(status.Message, 200),
			Hint: "delete it, or give the service another name"}
	case metav1.StatusReasonNotFound:
		return notFound(status)
	case metav1.StatusReasonRequestEntityTooLarge:
		return &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: "the object is larger than the cluster accepts: " + oneLine(status.Message, 160),
			Hint: "make its config files smaller; an object holds about one megabyte"}
	case metav1.StatusReasonMethodNotAllowed, metav1.StatusReasonUnsupportedMediaType, metav1.StatusReasonNotAcceptable:
		return &v1alpha1.Cause{Class: v1alpha1.CauseRefused, Message: "the cluster does not accept this kind of write: " + oneLine(status.Message, 200),
			Hint: "leave objects of this kind out of the template"}
	default:
		return nil
	}
}

// notFound tells a missing namespace, which may be on its way, from a kind that the
// cluster does not serve.
func notFound(status metav1.Status) *v1alpha1.Cause {
	if strings.Contains(status.Message, "could not find the requested resource") {
		return unknownKind(status.Message)
	}
	return nil
}

func unknownKind(said string) *v1alpha1.Cause {
	return &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: "the cluster does not know the kind: " + oneLine(said, 200),
		Hint: "correct apiVersion and kind, or install the CustomResourceDefinition"}
}

// foreignOwner names who owns the fields that an apply wanted. Any other conflict is a
// race and passes.
func foreignOwner(status metav1.Status) *v1alpha1.Cause {
	if status.Details == nil {
		return nil
	}
	var owners, fields []string
	for _, cause := range status.Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		owner := strings.TrimPrefix(cause.Message, "conflict with ")
		if !slices.Contains(owners, owner) {
			owners = append(owners, owner)
		}
		fields = append(fields, cause.Field)
	}
	if len(owners) == 0 {
		return nil
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseConflict,
		Message: fmt.Sprintf("%s owned by %s, and Spock does not take over what another owner set", ownedFields(fields), list(owners)),
		Hint:    "let the other owner give the fields up, take them out of the template, or delete the object"}
}

// ownedFields names a few fields; the rest is counted.
func ownedFields(fields []string) string {
	const shown = 5
	switch {
	case len(fields) == 1:
		return "field " + fields[0] + " is"
	case len(fields) > shown:
		return fmt.Sprintf("fields %s and %d more are", strings.Join(fields[:shown], ", "), len(fields)-shown)
	default:
		return "fields " + list(fields) + " are"
	}
}
