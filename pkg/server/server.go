// Package server is the door through which events come in. A delivery is answered with 202
// only after the run that it asks for is kept by the cluster, under a name that comes from
// what is signed: what was told 202 runs, also when this process is killed the moment
// after, and what comes twice runs once.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/pkg/trigger"
)

const (
	// mostBody is more than any event that counts has.
	mostBody = 2 << 20
	// keeping bounds how long a sender waits; GitHub hangs up after ten seconds.
	keeping = 8 * time.Second
	// shortest secret that is worth the name.
	shortest = 16
)

// runs are what events ask for.
var runs = schema.GroupVersionResource{Group: "tekton.dev", Version: "v1", Resource: "pipelineruns"}

// Door takes the events of one webhook.
type Door struct {
	config     trigger.Config
	templates  map[trigger.Action]trigger.Template
	secretFile string
	namespace  string
	cluster    dynamic.Interface
	now        func() time.Time
	wait       func(context.Context, time.Duration) error
	log        *slog.Logger
	counts     *counts
}

// Open reads config.yaml and the template ACTION.yaml of each action that makes a run, from
// the directory. The secret is read anew for each delivery, so that it can be changed.
func Open(directory, secretFile, namespace string, cluster dynamic.Interface, log *slog.Logger) (*Door, error) {
	raw, err := os.ReadFile(filepath.Join(directory, "config.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read the config of the events: %w", err)
	}
	d := &Door{
		templates: map[trigger.Action]trigger.Template{}, secretFile: secretFile, namespace: namespace, cluster: cluster,
		now: time.Now, wait: wait, log: log, counts: newCounts(),
	}
	if d.config, err = trigger.ParseConfig(raw); err != nil {
		return nil, err
	}
	for _, action := range trigger.Actions() {
		raw, err := os.ReadFile(filepath.Join(directory, string(action)+".yaml"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the template of %s: %w", action, err)
		}
		if d.templates[action], err = trigger.ParseTemplate(raw); err != nil {
			return nil, fmt.Errorf("%s.yaml: %w", action, err)
		}
	}
	if len(d.templates) == 0 {
		return nil, fmt.Errorf("there is no template of a run in %s; write one, up.yaml for instance", directory)
	}
	_, err = d.secret()
	return d, err
}

func (d *Door) secret() ([]byte, error) {
	raw, err := os.ReadFile(d.secretFile)
	if err != nil {
		return nil, fmt.Errorf("read the secret of the webhook: %w", err)
	}
	for len(raw) > 0 && (raw[len(raw)-1] == '\n' || raw[len(raw)-1] == '\r') {
		raw = raw[:len(raw)-1]
	}
	if len(raw) < shortest {
		return nil, fmt.Errorf("the secret of the webhook has %d characters; give it %d or more", len(raw), shortest)
	}
	return raw, nil
}

// answer is what a sender is told, and what is logged and counted.
type answer struct {
	code    int
	outcome string // made, duplicate, or why not
	text    string
}

// ServeHTTP takes one delivery.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, run := d.take(r)
	d.tell(a, run, r.Header)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(a.code)
	fmt.Fprintln(w, a.text)
}

// tell logs and counts what came of a delivery.
func (d *Door) tell(a answer, run string, header http.Header) {
	d.counts.add(string(d.config.Source), a.outcome)
	d.log.Info(a.text, "source", d.config.Source, "outcome", a.outcome, "code", a.code, "run", run, "delivery", delivery(header))
}

func (d *Door) take(r *http.Request) (answer, string) {
	if r.Method != http.MethodPost {
		return answer{http.StatusMethodNotAllowed, "method", "an event is posted"}, ""
	}
	body, refused := read(r, mostBody)
	if refused != nil {
		return *refused, ""
	}
	return d.judge(r.Context(), r.Header, body)
}

// read is the body of a request, which has at most that many bytes.
func read(r *http.Request, most int) ([]byte, *answer) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, &answer{http.StatusBadRequest, "broken", "the body did not arrive whole"}
	case len(body) > most:
		refused := oversized(most)
		return nil, &refused
	}
	return body, nil
}

func oversized(most int) answer {
	return answer{http.StatusRequestEntityTooLarge, "oversized", fmt.Sprintf("the body has more than %d bytes", most)}
}

// judge decides on a delivery as its sender sent it, and makes the run that it asks for.
func (d *Door) judge(ctx context.Context, header http.Header, body []byte) (answer, string) {
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || kind != "application/json" {
		return answer{http.StatusUnsupportedMediaType, string(trigger.NotJSON), "choose the content type application/json"}, ""
	}
	secret, err := d.secret()
	if err != nil {
		return answer{http.StatusServiceUnavailable, "error", err.Error()}, ""
	}
	decision, refusal := trigger.Decide(d.config, secret, trigger.Delivery{Header: header.Get, Body: body}, d.now())
	if refusal != nil {
		return answer{code(refusal.Reason), string(refusal.Reason), refusal.Sentence}, ""
	}
	template, ok := d.templates[decision.Action]
	if !ok {
		return answer{http.StatusOK, string(trigger.Ignored), fmt.Sprintf("there is no template of a run for %s", decision.Action)}, ""
	}
	return d.keep(ctx, template.Run(decision, d.namespace, delivery(header))), decision.Name
}

// keep writes the run, and tries again while there is time. Only what the cluster has is
// told as accepted.
func (d *Door) keep(ctx context.Context, run *unstructured.Unstructured) answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keeping)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		_, err := d.cluster.Resource(runs).Namespace(d.namespace).Create(ctx, run, metav1.CreateOptions{FieldManager: "spock-events"})
		switch {
		case err == nil:
			return answer{http.StatusAccepted, "made", "run " + run.GetName() + " is made"}
		case apierrors.IsAlreadyExists(err):
			return answer{http.StatusAccepted, "duplicate", "run " + run.GetName() + " is there already"}
		case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err):
			return answer{http.StatusInternalServerError, "error", fmt.Sprintf("make run %s: %v", run.GetName(), err)}
		}
		if d.wait(ctx, pause) != nil {
			return answer{http.StatusServiceUnavailable, "error", fmt.Sprintf("make run %s: %v; send it again", run.GetName(), err)}
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// code is what a sender is told. What only asks for nothing is no failure of the webhook.
func code(reason trigger.Reason) int {
	switch reason {
	case trigger.Unsigned, trigger.Signature:
		return http.StatusUnauthorized
	case trigger.Ignored:
		return http.StatusOK
	case trigger.Forbidden:
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// delivery is the number that the sender gave; it is good for finding a delivery, and
// decides nothing.
func delivery(h http.Header) string {
	if id := h.Get("X-GitHub-Delivery"); id != "" {
		return id
	}
	return h.Get("X-Atlassian-Webhook-Identifier")
}
