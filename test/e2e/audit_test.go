//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// request is what the audit log says of one.
type request struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	ReceivedAt metav1.MicroTime `json:"requestReceivedTimestamp"`
}

// String is what a failing test prints of a request.
func (r request) String() string {
	o := r.ObjectRef
	return fmt.Sprintf("%s %s %s %s/%s %s: %d", r.ReceivedAt.Format("15:04:05.000"), r.Verb, strings.TrimSuffix(o.Resource+"/"+o.Subresource, "/"), o.Namespace, o.Name, r.User.Username, r.ResponseStatus.Code)
}

// audit reads the API server's audit log from where it was when it was opened.
type audit struct {
	l      *lab
	path   string
	offset int64
	fences int
}

// watchRequests remembers where the audit log is now. A cluster without one skips the test.
func (l *lab) watchRequests() *audit {
	l.Helper()
	a := &audit{l: l, path: l.setting(l.T, "AUDIT_LOG")}
	a.read() // what was answered before now is in the log, and passed by
	return a
}

// read returns the requests since the last read, up to one of our own that it makes now.
func (a *audit) read() []request {
	a.l.Helper()
	if a.fences == 0 {
		info, err := os.Stat(a.path)
		a.l.must(err)
		a.offset = info.Size()
	}
	a.fences++
	fence := fmt.Sprintf("fence-%d", a.fences)
	a.l.kube.CoreV1().ConfigMaps(a.l.name).Get(a.l.ctx, fence, metav1.GetOptions{}) //nolint:errcheck // it is not there; the request is what counts
	var tail []byte
	a.l.eventually(soon, func(context.Context) string {
		tail = a.tail()
		if !bytes.Contains(tail, []byte(`"namespace":"`+a.l.name+`","name":"`+fence+`"`)) {
			return "the audit log does not show a request of the test"
		}
		return ""
	})
	a.offset += int64(len(tail))
	return a.parse(tail)
}

// tail is what whole lines the log has beyond the offset.
func (a *audit) tail() []byte {
	a.l.Helper()
	file, err := os.Open(a.path)
	a.l.must(err)
	defer file.Close()
	_, err = file.Seek(a.offset, io.SeekStart)
	a.l.must(err)
	text, err := io.ReadAll(file)
	a.l.must(err)
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

func (a *audit) parse(lines []byte) []request {
	a.l.Helper()
	var out []request
	for line := range bytes.Lines(lines) {
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			continue // the first line after the offset may be a half one
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(x, y request) int { return x.ReceivedAt.Compare(y.ReceivedAt.Time) })
	return out
}

// writes are the requests of Spock's controller, as itself or as whom it impersonates,
// that may change something; what it tells in events changes nothing.
func writes(all []request) []request {
	var out []request
	for _, r := range all {
		changes := slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb)
		if changes && r.User.Username == "system:serviceaccount:"+system+":spock-controller" && r.ObjectRef.Resource != "leases" && r.ObjectRef.Resource != "events" {
			out = append(out, r)
		}
	}
	return out
}

// in keeps the requests about a namespace: what is in it, and the namespace itself.
func in(namespace string, all []request) []request {
	var out []request
	for _, r := range all {
		if r.ObjectRef.Namespace == namespace || r.ObjectRef.Resource == "namespaces" && r.ObjectRef.Name == namespace {
			out = append(out, r)
		}
	}
	return out
}

// of keeps the successful requests with a verb about a resource, as the names they are about.
func of(verb, resource string, all []request) []string {
	var names []string
	for _, r := range all {
		if r.Verb == verb && r.ObjectRef.Resource == resource && r.ObjectRef.Subresource == "" && r.ResponseStatus.Code < 300 {
			names = append(names, r.ObjectRef.Name)
		}
	}
	return names
}

func listing(all []request) string {
	var lines strings.Builder
	for _, r := range all {
		fmt.Fprintln(&lines, r)
	}
	return lines.String()
}
