package deploy

import (
	"maps"
	"slices"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Results of a Task share four kilobytes; these two may grow.
const (
	mostMessage  = 500
	mostServices = 2000
)

// Results are the results of a deploy, the same for the Task and the custom task:
// environment, namespace, url, run, phase, message and services. An environment with more
// services than fit names those that this deploy set, as far as they fit.
func Results(environment *v1alpha1.Environment) map[string]string {
	status := environment.Status
	return map[string]string{
		"environment": environment.Name,
		"namespace":   status.Namespace,
		"url":         status.URL,
		"run":         status.Run,
		"phase":       string(status.Phase),
		"message":     shorten(status.Message),
		"services":    images(environment),
	}
}

func images(environment *v1alpha1.Environment) string {
	var all, set []string
	for _, s := range environment.Status.Services {
		if s.Image != "" {
			all = append(all, s.Name+"="+s.Image)
		}
	}
	single := containers(environment.Spec.Run)
	if text := strings.Join(append(all, single...), ","); len(text) <= mostServices {
		return text
	}
	if environment.Spec.Run != nil {
		for _, s := range environment.Spec.Run.Services {
			if s.Image != "" {
				set = append(set, s.Name+"="+s.Image)
			}
		}
	}
	return fitting(append(set, single...))
}

// containers are the images that a deploy has set for single containers.
func containers(run *v1alpha1.RunLayer) []string {
	var out []string
	if run == nil {
		return nil
	}
	for _, s := range run.Services {
		for _, container := range slices.Sorted(maps.Keys(s.Images)) {
			out = append(out, s.Name+"/"+container+"="+s.Images[container])
		}
	}
	return out
}

// fitting joins as many whole entries as there is room for.
func fitting(entries []string) string {
	var out strings.Builder
	for _, entry := range entries {
		if out.Len()+1+len(entry) > mostServices {
			break
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		out.WriteString(entry)
	}
	return out.String()
}

func shorten(message string) string {
	if len(message) <= mostMessage {
		return message
	}
	return strings.ToValidUTF8(message[:mostMessage], "") + "..."
}
