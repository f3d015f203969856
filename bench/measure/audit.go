// Package measure reads off the apiserver's audit log what an engine did and when, so that
// nobody is believed about himself. It is pure but for reading what it is given.
package measure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// Request is a line of the audit log.
type Request struct {
	Verb      string
	User, As  string
	Resource  string // with its group, and its subresource after a slash
	Namespace string
	Name      string
	Code      int
	DryRun    bool
	// Received and Answered are when the apiserver got it and had answered it.
	Received, Answered time.Time
	// Deployment is what was written, when one was.
	Deployment *appsv1.Deployment
}

// line is what is read of the audit log's format, audit.k8s.io/v1.
type line struct {
	Verb         string `json:"verb"`
	URI          string `json:"requestURI"`
	User         user   `json:"user"`
	Impersonated *user  `json:"impersonatedUser"`
	Ref          struct {
		Group       string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Status struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Received time.Time       `json:"requestReceivedTimestamp"`
	Answered time.Time       `json:"stageTimestamp"`
	Response json.RawMessage `json:"responseObject"`
}

type user struct {
	Name string `json:"username"`
}

// ReadFrom reads what an audit log has from a position on, which was its length at some time.
// A line that was being written then is one of before, and is passed over.
func ReadFrom(log io.ReadSeeker, position int64) ([]Request, error) {
	before := max(0, position-1)
	if _, err := log.Seek(before, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	lines := bufio.NewReaderSize(log, 1<<20)
	if position > 0 {
		if _, err := lines.ReadBytes('\n'); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
	}
	return read(lines)
}

func read(lines *bufio.Reader) ([]Request, error) {
	var all []Request
	for {
		raw, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return all, nil // a line that is still being written has no end
		}
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		one, err := parse(raw)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
}

func parse(raw []byte) (Request, error) {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return Request{}, fmt.Errorf("read a line of the audit log: %w: %.200s", err, raw)
	}
	r := Request{
		Verb: l.Verb, User: l.User.Name, Resource: l.Ref.Resource, Namespace: l.Ref.Namespace, Name: l.Ref.Name,
		Code: l.Status.Code, DryRun: strings.Contains(l.URI, "dryRun=All"), Received: l.Received, Answered: l.Answered,
	}
	if l.Ref.Group != "" {
		r.Resource += "." + l.Ref.Group
	}
	if l.Ref.Subresource != "" {
		r.Resource += "/" + l.Ref.Subresource
	}
	if l.Impersonated != nil {
		r.As = l.Impersonated.Name
	}
	// A refusal has the kind in its details, and is none.
	if l.Status.Code < 300 && bytes.Contains(l.Response, []byte(`"kind":"Deployment"`)) {
		r.Deployment = &appsv1.Deployment{}
		if err := json.Unmarshal(l.Response, r.Deployment); err != nil {
			return Request{}, fmt.Errorf("read a Deployment of the audit log: %w", err)
		}
		r.Name = r.Deployment.Name
	}
	return r, nil
}
