// Package trigger decides what an event from GitHub or Jira means: which run it asks for,
// or why there is none. It is pure: a delivery, a config and the time go in, a decision
// comes out.
//
// Nothing of a delivery is believed before its signature is checked, and only what is
// signed decides: the name of a run comes from the body, since whoever replays a delivery
// can choose its headers. Every value that is handed on has a form that holds no blanks
// and nothing that a shell knows.
package trigger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Action is what an event asks for.
type Action string

// The actions. Which of them make a run is a matter of the config.
const (
	Up        Action = "up"        // bring the environment of a pull request up
	Down      Action = "down"      // take an environment down
	Integrate Action = "integrate" // test what is on the main branch
	Test      Action = "test"      // test again
	Deploy    Action = "deploy"    // deploy to an environment
)

// Actions are all of them.
func Actions() []Action { return []Action{Up, Down, Integrate, Test, Deploy} }

// Delivery is what came in.
type Delivery struct {
	// Header returns the first value of a header, or nothing.
	Header func(name string) string
	// Body is as it was signed.
	Body []byte
}

// Reason is why there is no run, in a word that is fit for a metric.
type Reason string

// The reasons. Ignored is the only one that is nobody's fault.
const (
	Unsigned  Reason = "unsigned"
	Signature Reason = "signature"
	NotJSON   Reason = "not-json"
	Unknown   Reason = "unknown-event"
	Malformed Reason = "malformed"
	Stale     Reason = "stale"
	Forbidden Reason = "forbidden"
	Ignored   Reason = "ignored"
)

// Refusal is why there is no run.
type Refusal struct {
	// Reason in a word, Sentence for people; it holds no text of the delivery that was not quoted.
	Reason   Reason
	Sentence string
}

// Error says both.
func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Sentence }

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// Decision is a run to make.
type Decision struct {
	Action Action
	// Name of the run, the same for the same signed body.
	Name string
	// Values are what the template of the run may use; all Names are there.
	Values map[string]string
	// Taken is when it was decided.
	Taken time.Time
}

// Names are the values that a decision has.
func Names() []string {
	return []string{
		"action", "assignee", "branch", "cloneUrl", "commit", "environment", "fixVersion", "issue", "number", "project",
		"refspec", "repository", "revision", "sender", "source", "status",
	}
}

// Decide judges a delivery. The refusal is nil when there is a run to make.
func Decide(c Config, secret []byte, d Delivery, now time.Time) (Decision, *Refusal) {
	if r := verify(c.Source, secret, d); r != nil {
		return Decision{}, r
	}
	if !json.Valid(d.Body) {
		return Decision{}, refuse(NotJSON, "the body is no JSON; choose the content type application/json")
	}
	judge := github
	if c.Source == Jira {
		judge = jira
	}
	e, r := judge(c, d)
	if r != nil {
		return Decision{}, r
	}
	if age := now.Sub(e.at); age > c.maxAge() {
		return Decision{}, refuse(Stale, "what it tells of is %s old, more than %s", age.Round(time.Second), c.maxAge())
	}
	values := map[string]string{}
	for _, name := range Names() {
		values[name] = e.values[name]
	}
	values["action"], values["source"] = string(e.action), string(c.Source)
	for name, value := range values {
		if !safe(value) {
			return Decision{}, refuse(Malformed, "%s is %q: it holds what is not let through; letters, digits and . _ / : @ + - are", name, clip(value))
		}
	}
	return Decision{e.action, runName(e.action, d.Body), values, now}, nil
}

// event is what the judges find.
type event struct {
	action Action
	at     time.Time
	values map[string]string
}

// verify wants an HMAC with SHA-256 over the body. Weaker ones do not count.
func verify(source Source, secret []byte, d Delivery) *Refusal {
	name := "X-Hub-Signature-256"
	if source == Jira {
		name = "X-Hub-Signature"
	}
	given := d.Header(name)
	if given == "" {
		return refuse(Unsigned, "there is no header %s; give the webhook a secret", name)
	}
	digest, found := strings.CutPrefix(given, "sha256=")
	sum, err := hex.DecodeString(digest)
	if !found || err != nil || len(secret) == 0 {
		return refuse(Signature, "%s is no sha256 signature", name)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(d.Body)
	if !hmac.Equal(sum, mac.Sum(nil)) {
		return refuse(Signature, "%s does not fit the body and the secret", name)
	}
	return nil
}

// runName depends on nothing but what is signed.
func runName(action Action, body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf("event-%s-%s", action, hex.EncodeToString(sum[:12]))
}

// safe says whether a value has only what is let through, and cannot be taken for an
// option or lead out of a directory.
func safe(value string) bool {
	if len(value) > 250 || strings.HasPrefix(value, "-") || strings.Contains(value, "..") {
		return false
	}
	for _, c := range value {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("._/:@+-", c) {
			return false
		}
	}
	return true
}

func clip(text string) string {
	const most = 80
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
