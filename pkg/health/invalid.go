package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// frozen recognises the ways in which kinds say that a field cannot change any more.
var frozen = regexp.MustCompile(`immutable|updates to statefulset spec for fields other than|may not (?:be changed|change)|can ?not be (?:changed|unset|updated|modified)|can not be less than previous value`)

// invalid reads a validation's answer: a field that cannot change, else a wrong value.
func invalid(status metav1.Status) *v1alpha1.Cause {
	causes := causesOf(status)
	if i := slices.IndexFunc(causes, func(c metav1.StatusCause) bool { return frozen.MatchString(c.Message) }); i >= 0 {
		return immutable(status, causes[i])
	}
	problems := make([]string, 0, len(causes))
	for _, c := range causes {
		problems = append(problems, strings.TrimPrefix(c.Field+": ", ": ")+oneLine(c.Message, 160))
	}
	if len(problems) > 3 {
		problems = append(problems[:3], fmt.Sprintf("and %d more", len(causes)-3))
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: subject(status) + " is invalid: " + strings.Join(problems, "; "),
		Hint: "correct the field in the template, or the parameter it comes from"}
}

// immutable names the field. A StatefulSet only tells which fields are not it.
func immutable(status metav1.Status, cause metav1.StatusCause) *v1alpha1.Cause {
	field := cause.Field
	if field == "" || field == "<nil>" {
		field = "a field"
	}
	message := fmt.Sprintf("%s of %s cannot change once it exists", field, subject(status))
	if strings.Contains(cause.Message, "for fields other than") || strings.Contains(cause.Message, "immutable after creation except") {
		first, _, _ := strings.Cut(strings.TrimPrefix(cause.Message, "Forbidden: "), "\n") // a diff follows
		message += ": " + oneLine(first, 240)
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseImmutable, Message: message,
		Hint: "delete " + subject(status) + " and deploy again, or set the field back to what it was"}
}

// causesOf are the field errors; the whole message when the server does not list them.
func causesOf(status metav1.Status) []metav1.StatusCause {
	if status.Details != nil && len(status.Details.Causes) > 0 {
		return status.Details.Causes
	}
	_, said, found := strings.Cut(status.Message, " is invalid: ")
	if !found {
		said = status.Message
	}
	return []metav1.StatusCause{{Message: said}}
}

func subject(status metav1.Status) string {
	if status.Details == nil || status.Details.Kind == "" {
		return "the object"
	}
	return strings.TrimSpace(status.Details.Kind + " " + status.Details.Name)
}

var typedPatch = regexp.MustCompile(`failed to create typed patch object \([^)]*\): (?:errors:\s*)?(.*)`)

// invalidSchema is an object that does not have the shape of its kind.
func invalidSchema(message string) *v1alpha1.Cause {
	flat := strings.Join(strings.Fields(message), " ")
	if said := typedPatch.FindStringSubmatch(flat); said != nil {
		flat = said[1]
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseConfig, Message: "the object does not have the form of its kind: " + oneLine(flat, 240),
		Hint: "correct the field in the template's manifest; `kubectl explain` shows the fields of a kind"}
}
