package customrun

import (
	"fmt"
	"strings"

	runv1beta1 "github.com/tektoncd/pipeline/pkg/apis/run/v1beta1"
	"k8s.io/apimachinery/pkg/util/validation"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// phaseGone is the phase of an environment that has been torn down.
const phaseGone v1alpha1.Phase = "Gone"

// maxServices bounds the services result, in bytes: results become arguments of steps,
// and a process takes no argument of more than 128 KiB.
const maxServices = 96 << 10

// seen is the state of an environment, as last seen, as far as it becomes results. The
// results themselves keep it from pass to pass.
type seen struct {
	namespace, url, run, phase, services string
}

func seenIn(results []runv1beta1.CustomRunResult) seen {
	var s seen
	for _, result := range results {
		switch result.Name {
		case "namespace":
			s.namespace = result.Value
		case "url":
			s.url = result.Value
		case "run":
			s.run = result.Value
		case "phase":
			s.phase = result.Value
		case "services":
			s.services = result.Value
		}
	}
	return s
}

// see keeps what an environment looks like.
func (p *pass) see(env *v1alpha1.Environment) {
	s := &env.Status
	p.seen = seen{namespace: s.Namespace, url: s.URL, run: s.Run, phase: string(s.Phase), services: deployed(s.Services)}
}

// results are all documented results, always: a result that is missing fails the
// pipeline that reads it. The services, which are long, are told at the end.
func (p *pass) results(over bool) []runv1beta1.CustomRunResult {
	environment := runv1beta1.CustomRunResult{Name: "environment", Value: p.environment()}
	phase := runv1beta1.CustomRunResult{Name: "phase", Value: p.seen.phase}
	message := runv1beta1.CustomRunResult{Name: "message", Value: plain(p.message())}
	if p.kind() == KindTeardown {
		return []runv1beta1.CustomRunResult{environment, phase, message}
	}
	services := ""
	if over && len(p.seen.services) <= maxServices {
		services = p.seen.services
	}
	return []runv1beta1.CustomRunResult{
		environment,
		{Name: "namespace", Value: p.seen.namespace},
		{Name: "url", Value: p.seen.url},
		{Name: "run", Value: p.seen.run},
		phase, message,
		{Name: "services", Value: services},
	}
}

// environment is the name on record, or the one that was given when it is one.
func (p *pass) environment() string {
	if p.record.Request != nil {
		return p.record.Request.Environment
	}
	if name := text(p.run, "environment"); len(validation.IsDNS1123Label(name)) == 0 {
		return name
	}
	return ""
}

// plain keeps text from being taken for an array: Tekton turns a result that reads as a
// JSON array of strings into an array param.
func plain(message string) string {
	if strings.HasPrefix(strings.TrimSpace(message), "[") {
		return "message: " + message
	}
	return message
}

// deployed is the images as `name=image` entries, with commas between.
func deployed(services []v1alpha1.ServiceStatus) string {
	var entries []string
	for _, s := range services {
		if s.Image != "" {
			entries = append(entries, s.Name+"="+s.Image)
		}
	}
	return strings.Join(entries, ",")
}

// sentence is what lists and dashboards show of a rollout; they show nothing else.
func sentence(env *v1alpha1.Environment) string {
	s := subject(env.Name, env.Spec.Class, env.Status.URL)
	if env.Status.Phase == v1alpha1.PhaseFailed && env.Status.Progress != "" {
		s += env.Status.Progress + " services ready; "
	}
	s += env.Status.Message
	if hint := firstHint(&env.Status); hint != "" {
		s += "; " + hint
	}
	if n := len(deployed(env.Status.Services)); n > maxServices && env.Status.Phase == v1alpha1.PhaseReady {
		s += fmt.Sprintf("; the result services would take %d KiB and is empty: read them from EnvironmentRun %s", n>>10, env.Status.Run)
	}
	return s
}

func subject(environment, class, url string) string {
	if url != "" {
		class += ", " + url
	}
	return fmt.Sprintf("environment %s (%s): ", environment, class)
}

// firstHint is the next step after the first failure, or after one that was rolled back.
func firstHint(status *v1alpha1.EnvironmentStatus) string {
	for _, s := range status.Services {
		if s.State == v1alpha1.ServiceFailed && s.Cause != nil {
			return s.Cause.Hint
		}
	}
	if status.Rollback != nil && status.Rollback.Cause != nil {
		return status.Rollback.Cause.Hint
	}
	return ""
}
