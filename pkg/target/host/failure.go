package host

import (
	"errors"
	"fmt"
	"strings"
)

// Class is the kind of a failure.
type Class string

// The classes of failures.
const (
	// Unreachable: the machine does not answer, or stopped to.
	Unreachable Class = "HostUnreachable"
	// AuthRefused: the machine does not let the user in.
	AuthRefused Class = "HostAuthRefused"
	// KeyChanged: the machine shows another key than the one that is pinned.
	KeyChanged Class = "HostKeyChanged"
	// NotPrepared: the machine lacks a tool, or the user the right to use it.
	NotPrepared Class = "HostNotPrepared"
	// DiskFull: the machine has no room.
	DiskFull Class = "HostDiskFull"
	// PortTaken: somebody else listens on a port of the service.
	PortTaken Class = "PortTaken"
	// PackageFailed: the command that installs or removes a package failed.
	PackageFailed Class = "HostPackageFailed"
	// Foreign: the place belongs to another environment.
	Foreign Class = "ForeignOwner"
	// Fenced: a newer controller writes to the machine.
	Fenced Class = "Fenced"
	// Broken: a command failed in a way that has no class of its own.
	Broken Class = "HostCommandFailed"
)

// Failure is what went wrong with a machine.
type Failure struct {
	Class Class
	// Host by name.
	Host string
	// Message in one sentence.
	Message string
	// Err is the reason, if there is one.
	Err error
}

// Error is the sentence with its reason.
func (f *Failure) Error() string {
	text := fmt.Sprintf("host %s: %s", f.Host, f.Message)
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// ClassOf returns the class of a failure, empty when err is none.
func ClassOf(err error) Class {
	var f *Failure
	if errors.As(err, &f) {
		return f.Class
	}
	return ""
}

// Hint is the next step for a person.
func (c Class) Hint() string {
	return map[Class]string{
		Unreachable:   "see that the machine runs and that its address and port are right; what waits for it goes on when it is back",
		AuthRefused:   "put the public key into the user's authorized_keys on the machine, or correct spec.user and the Secret of the Host",
		KeyChanged:    "if the machine was installed anew, put its new key into spec.hostKey of the Host; if not, somebody else answers at its address",
		NotPrepared:   "prepare the machine as docs/hosts.md says",
		DiskFull:      "make room on the machine, below /var/lib/spock most of all",
		PortTaken:     "stop what listens on the port, or give the service another one",
		PackageFailed: "run the command on the machine, and correct what it complains about or the template's host.package",
		Foreign:       "delete the other environment, or place the service on another host",
		Fenced:        "nothing is to be done: a newer controller has taken over",
	}[c]
}

// exits are the codes with which a script tells a class; scripts/begin.sh names them.
var exits = map[int]struct {
	class   Class
	message string
}{
	64: {NotPrepared, "it lacks what Spock needs"},
	65: {Fenced, "a newer controller writes to it"},
	66: {Foreign, "the service's place belongs to another environment"},
	68: {PackageFailed, "its package manager failed"},
	67: {PortTaken, "a port of the service is taken"},
}

// classify reads how a command ended.
func classify(host string, code int, stderr string) *Failure {
	said := lastLines(stderr)
	f := &Failure{Class: Broken, Host: host, Message: fmt.Sprintf("a command ended with code %d", code)}
	if known, ok := exits[code]; ok {
		f.Class, f.Message = known.class, known.message
	}
	switch {
	case strings.Contains(stderr, "No space left on device"), strings.Contains(stderr, "Disk quota exceeded"):
		f.Class, f.Message = DiskFull, "its disk is full"
	case strings.Contains(stderr, "sudo:"):
		f.Class, f.Message = NotPrepared, "the user may not become root without a password"
	}
	if said != "" {
		f.Err = errors.New(said)
	}
	return f
}

// lastLines is the end of what a machine said, as one line that cannot grow.
func lastLines(text string) string {
	const most = 400
	text = strings.ToValidUTF8(strings.TrimSpace(text), "?")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = "..." + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
