package artifact

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/source"
)

// Failure says why an artifact cannot be had, and what to do.
type Failure struct {
	// Reason is the class, as in the condition of an Environment.
	Reason string
	// Problem and Remedy are clauses without a full stop.
	Problem, Remedy string
}

func (f *Failure) Error() string { return f.Problem + "; " + f.Remedy }

var errTooLarge = errors.New("more than is allowed")

// maxSaid is how much of a registry's own words is passed on.
const maxSaid = 300

// failed classifies what went wrong while a registry was asked.
func failed(ref name.Digest, err error) *Failure {
	registry := ref.Context().RegistryStr()
	var answer *transport.Error
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge(ref)
	case isMismatch(err):
		return &Failure{v1alpha1.ReasonSourceCorrupt, fmt.Sprintf("registry %s answers for %s with something that is not what its digest says", registry, ref), "do not trust it: push the artifact again, and use the digest that the push tells"}
	case !errors.As(err, &answer):
		return &Failure{v1alpha1.ReasonSourceUnreachable, fmt.Sprintf("registry %s does not answer for %s: %s", registry, ref, short(err)), "check the registry's name, and the network to it"}
	case answer.StatusCode == http.StatusNotFound:
		return &Failure{v1alpha1.ReasonSourceNotFound, fmt.Sprintf("registry %s has no %s", registry, ref), "push it, or correct the name and the digest"}
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return &Failure{v1alpha1.ReasonSourceUnauthorized, fmt.Sprintf("registry %s does not let %s be read with the given credentials, or it is not there", registry, ref), "correct the credentials, or the name"}
	default: // what else it says is not passed on: a registry may lead to what others must not read
		return &Failure{v1alpha1.ReasonSourceUnreachable, fmt.Sprintf("registry %s cannot answer for %s: %d %s", registry, ref, answer.StatusCode, http.StatusText(answer.StatusCode)), "look at the registry"}
	}
}

// isMismatch says whether the library found content that is not what its digest says; it
// has no type for that.
func isMismatch(err error) bool {
	return strings.Contains(err.Error(), "does not match requested digest") || strings.Contains(err.Error(), "error verifying sha256 checksum") ||
		strings.Contains(err.Error(), "error verifying size")
}

func tooLarge(ref name.Digest) *Failure {
	return &Failure{v1alpha1.ReasonSourceTooLarge, fmt.Sprintf("%s is larger than %d MiB, or has more than %d layers", ref, MaxBytes>>20, maxLayers), "push the manifests alone"}
}

func notAnArtifact(ref name.Digest, mediaType string) *Failure {
	return &Failure{v1alpha1.ReasonSourceUnusable, fmt.Sprintf("%s is no artifact with layers, it is %.80q", ref, mediaType), "use the digest of the artifact itself, not that of an index"}
}

func unusable(err error) *Failure {
	var wrong *source.Error
	if errors.As(err, &wrong) {
		return &Failure{v1alpha1.ReasonSourceUnusable, wrong.Problem, wrong.Remedy}
	}
	return &Failure{v1alpha1.ReasonSourceUnusable, err.Error(), "correct it"}
}

// short is an error on one line, no longer than a sentence: what a registry says is not ours.
func short(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) <= maxSaid {
		return text
	}
	cut := maxSaid
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
