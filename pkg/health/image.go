package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// imageFinding says why the container's image did not come. What the registry answers
// for good counts at once; a registry that cannot be reached gets some patience.
func (c container) imageFinding(now time.Time) finding {
	answer := imageAnswer(c.waitingReason(), c.status.State.Waiting.Message)
	found := finding{rank: rankImage, cause: c.cause(v1alpha1.CauseImage,
		fmt.Sprintf("image %s of %s cannot be pulled: %s", c.spec.Image, c.title(), answer.words), answer.hint)}
	if answer.passing {
		found.patience = remaining(now, c.pod.CreationTimestamp.Time, pullPatience)
	}
	return found
}

// pullAnswer is what became of a pull, in words.
type pullAnswer struct {
	words, hint string
	// passing answers may be another one at the next try.
	passing bool
}

// registryAnswers recognises what registries and runtimes say; the first match counts.
var registryAnswers = []struct {
	says *regexp.Regexp
	pullAnswer
}{
	{regexp.MustCompile(`(?i)x509|certificate`), pullAnswer{words: "the node does not trust the registry's certificate",
		hint: "make the registry's certificate authority known to the nodes"}},
	{regexp.MustCompile(`(?i)http response to https client`), pullAnswer{words: "the registry speaks plain HTTP and the node expects HTTPS",
		hint: "allow this registry as an insecure one on the nodes, or give it a certificate"}},
	{regexp.MustCompile(`(?i)toomanyrequests|too many requests|\b429\b`), pullAnswer{words: "the registry refuses more pulls for now",
		hint: "wait, or pull with a login or through a mirror", passing: true}},
	{regexp.MustCompile(`(?i)no such host|connection refused|timeout|i/o|unreachable|\beof\b|connection reset|deadline exceeded|server misbehaving`),
		pullAnswer{words: "the registry cannot be reached", hint: "check the registry's name in the image and that the nodes can reach it", passing: true}},
	{regexp.MustCompile(`(?i)unauthorized|authentication required|authorization failed|denied|forbidden|\b401\b|\b403\b`),
		pullAnswer{words: "the registry refuses access to it, or it does not exist",
			hint: "check the image's name, and give the service account an image pull secret for the registry"}},
	{regexp.MustCompile(`(?i)no match for platform|no matching manifest`), pullAnswer{words: "it was not built for the node's architecture",
		hint: "build the image for the architecture of the nodes"}},
	{regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|\b404\b`), pullAnswer{words: "the registry has no such image",
		hint: "check the image's name and tag or digest, and that the build pushed it"}},
	{regexp.MustCompile(`(?i)no space left`), pullAnswer{words: "the node's disk is full", hint: "free disk space on the node"}},
}

// imageAnswer turns a kubelet's reason and message into words.
func imageAnswer(reason, message string) pullAnswer {
	switch reason {
	case "InvalidImageName":
		return pullAnswer{words: "its name is not a valid image reference", hint: "correct the image's name; the form is registry/repository:tag"}
	case "ErrImageNeverPull":
		return pullAnswer{words: "it is not on the node and its pull policy forbids to pull it", hint: "load the image onto the node, or set imagePullPolicy to IfNotPresent"}
	}
	for _, known := range registryAnswers {
		if known.says.MatchString(withoutNames(message)) {
			return known.pullAnswer
		}
	}
	said := pullAnswer{words: "the pull failed", hint: "check the image's name and that the nodes can reach its registry", passing: true}
	if tail := lastClause(message); tail != "" {
		said.words += ": " + tail
	}
	return said
}

// quoted matches image names and addresses, whose letters are not the registry's answer.
var quoted = regexp.MustCompile(`"[^"]*"`)

func withoutNames(message string) string { return quoted.ReplaceAllString(message, "") }

// lastClause is the innermost error of a chain; a mere "Back-off pulling" says nothing.
func lastClause(message string) string {
	if strings.HasPrefix(message, "Back-off pulling") && !strings.Contains(message, ": ") {
		return ""
	}
	clauses := strings.Split(wrappers.ReplaceAllString(message, ""), ": ")
	return oneLine(clauses[len(clauses)-1], 120)
}
