package customrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// params of the custom tasks, by kind.
var params = map[string][]string{
	KindDeploy:   {"environment", "product", "class", "services", "parameters", "source"},
	KindTeardown: {"environment"},
}

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
	request.Namespace, request.ServiceAccount = p.run.Namespace, p.serviceAccount()
	if kind == KindDeploy {
		err = request.Validate()
	} else if request.Environment == "" {
		err = errors.New("environment: it is empty; name the environment to tear down")
	}
	if err != nil {
		return p.fail(ReasonInvalid, oneLine(err))
	}
	p.record.Kind, p.record.Request, p.record.Attempt = kind, &request, 1
	return nil
}

// kindOf refuses the ways to refer to a task that Spock's kinds do not have.
func kindOf(run *v1beta1.CustomRun) (string, error) {
	ref := run.Spec.CustomRef
	switch {
	case ref == nil:
		return "", fmt.Errorf("taskSpec: %s is configured by params; use taskRef with apiVersion %s and kind %s", run.Spec.CustomSpec.Kind, v1alpha1.SchemeGroupVersion, run.Spec.CustomSpec.Kind)
	case ref.Resolver != "":
		return "", fmt.Errorf("taskRef.resolver: %s is built in and needs no resolver; remove it", ref.Kind)
	case ref.Name != "":
		return "", fmt.Errorf("taskRef.name %q: %s is configured by params and has no named objects; remove the name", ref.Name, ref.Kind)
	}
	return string(ref.Kind), nil
}

func requestOf(run *v1beta1.CustomRun, kind string) (deploy.Request, error) {
	var problems []error
	for _, param := range run.Spec.Params {
		if !slices.Contains(params[kind], param.Name) {
			problems = append(problems, fmt.Errorf("param %s: %s has no such param; it has %s", param.Name, kind, strings.Join(params[kind], ", ")))
		}
	}
	services, err := deploy.Images(list(run, "services"))
	problems = append(problems, err)
	parameters, err := deploy.Parameters(list(run, "parameters"))
	problems = append(problems, err)
	return deploy.Request{
		Environment: text(run, "environment"), Product: text(run, "product"), Class: text(run, "class"),
		Source: text(run, "source"), Services: services, Parameters: parameters,
	}, errors.Join(problems...)
}

func text(run *v1beta1.CustomRun, name string) string {
	if p := run.Spec.GetParam(name); p != nil {
		return strings.TrimSpace(p.Value.StringVal)
	}
	return ""
}

// list reads an array param; a string is taken as one entry a line, so that a result of
// an earlier task fits too.
func list(run *v1beta1.CustomRun, name string) []string {
	p := run.Spec.GetParam(name)
	if p == nil {
		return nil
	}
	if p.Value.Type == v1beta1.ParamTypeArray {
		return p.Value.ArrayVal
	}
	return strings.Fields(strings.ReplaceAll(p.Value.StringVal, ",", " "))
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
