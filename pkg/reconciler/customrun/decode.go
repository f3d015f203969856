package customrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"

	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/nearest"
)

const (
	// maxRequest bounds what a CustomRun keeps of its request, in bytes: a record of it
	// stands beside the params themselves, and an object has 1.5 MiB in all.
	maxRequest = 256 << 10
	// maxRetries bounds the history that a CustomRun keeps of its attempts.
	maxRetries = 100
)

// decode reads the spec once; everything later works on the record.
func (r *Reconciler) decode(_ context.Context, p *pass) error {
	if p.record.Request != nil {
		return nil
	}
	if len(p.run.Spec.Workspaces) > 0 {
		return p.fail(v1beta1.CustomRunReasonWorkspaceNotSupported.String(),
			fmt.Sprintf("workspace %s: a custom task of Spock runs in no pod and cannot use a workspace; remove it from the pipeline task", p.run.Spec.Workspaces[0].Name))
	}
	kind, err := kindOf(p.run)
	if err != nil {
		return p.fail(ReasonInvalid, err.Error())
	}
	request, err := requestOf(p.run, kind)
	if err != nil {
		return p.fail(ReasonInvalid, oneLine(err))
	}
	p.record.Kind, p.record.Request, p.record.Attempt = kind, request, 1
	return nil
}

// requestOf reads the params and says everything that is wrong with them.
func requestOf(run *v1beta1.CustomRun, kind string) (*deploy.Request, error) {
	problems := []error{misused(run, kind)}
	services, err := deploy.Images(images(run))
	problems = append(problems, err)
	parameters, err := deploy.Parameters(entries(run, "parameters", lines))
	problems = append(problems, err)
	request := &deploy.Request{
		Namespace: run.Namespace, ServiceAccount: serviceAccount(run),
		Environment: text(run, "environment"), Product: text(run, "product"), Class: text(run, "class"),
		Source: text(run, "source"), From: text(run, "from"), Services: services, Parameters: parameters,
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return request, errors.Join(missing(request, kind), tooMuch(request, run))
}

// misused tells of params that do not exist or have the wrong shape.
func misused(run *v1beta1.CustomRun, kind string) error {
	var problems []error
	known := make([]string, 0, len(params[kind]))
	for _, k := range params[kind] {
		known = append(known, k.name)
	}
	for _, given := range run.Spec.Params {
		i := slices.Index(known, given.Name)
		switch {
		case i < 0:
			problems = append(problems, fmt.Errorf("param %q: %s has no such param; %s", given.Name, kind, nearest.Hint(given.Name, known, "")))
		case given.Value.Type == v1beta1.ParamTypeObject || given.Value.Type == v1beta1.ParamTypeArray && !params[kind][i].list:
			problems = append(problems, fmt.Errorf("param %s: it is an %s; write a %s", given.Name, given.Value.Type, params[kind][i].shape()))
		}
	}
	return errors.Join(problems...)
}

func (p param) shape() string {
	if p.list {
		return "string or an array"
	}
	return "string"
}

func missing(request *deploy.Request, kind string) error {
	if kind == KindDeploy {
		return request.Validate()
	}
	if request.Environment == "" {
		return errors.New("environment: it is empty; name the environment to tear down")
	}
	return nil
}

func tooMuch(request *deploy.Request, run *v1beta1.CustomRun) error {
	if run.Spec.Retries > maxRetries {
		return fmt.Errorf("retries: %d is more than %d; the attempts are kept in the CustomRun", run.Spec.Retries, maxRetries)
	}
	raw, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("params: encode them: %w", err)
	}
	if len(raw) > maxRequest {
		return fmt.Errorf("params: they take %d KiB, more than %d; set what does not change with each deploy in the Product or the Environment", len(raw)>>10, maxRequest>>10)
	}
	return nil
}

func text(run *v1beta1.CustomRun, name string) string {
	if p := run.Spec.GetParam(name); p != nil {
		return strings.TrimSpace(p.Value.StringVal)
	}
	return ""
}

// images reads the services: a string holds them with commas or blanks between, as the
// result of the same name does.
func images(run *v1beta1.CustomRun) []string {
	return entries(run, "services", func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	})
}

func lines(s string) []string { return strings.Split(s, "\n") }

// entries reads a list; empty entries, as an unset param of a pipeline leaves them, are
// none.
func entries(run *v1beta1.CustomRun, name string, split func(string) []string) []string {
	p := run.Spec.GetParam(name)
	if p == nil {
		return nil
	}
	all := p.Value.ArrayVal
	if p.Value.Type != v1beta1.ParamTypeArray {
		all = split(p.Value.StringVal)
	}
	var out []string
	for _, entry := range all {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

func serviceAccount(run *v1beta1.CustomRun) string {
	if run.Spec.ServiceAccountName == "" {
		return "default"
	}
	return run.Spec.ServiceAccountName
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
