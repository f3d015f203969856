// Package progress tells the story of a rollout line by line: what changed between two
// states of an Environment, and at the end what became of each service and why.
//
// It is pure: it prints nothing, reads no clock, and gives the same lines for the same
// states. The command line and the deploy-env Task show the same words.
package progress

import (
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Marks of the states, as they stand in front of a line.
const (
	markWaiting  = "◎"
	markProgress = "▷"
	markReady    = "✔"
	markFailed   = "✘"
	markBlocked  = "⊘"
	markRun      = "▶"
)

// Lines says what changed from previous to current, in plan order: a line per service
// whose state changed, with cause and log under a failure, after a line for a new run. A
// zero previous makes everything new. elapsed is the time since the story began.
func Lines(previous, current v1alpha1.EnvironmentStatus, elapsed time.Duration) []string {
	return changes(previous, current, elapsed, true)
}

// Story is what Lines says but for those that wait, which a Board beneath it shows.
func Story(previous, current v1alpha1.EnvironmentStatus, elapsed time.Duration) []string {
	return changes(previous, current, elapsed, false)
}

func changes(previous, current v1alpha1.EnvironmentStatus, elapsed time.Duration, waiting bool) []string {
	var lines []string
	if current.Run != "" && current.Run != previous.Run {
		previous.Services = nil // a new run tells its own story
		lines = append(lines, fmt.Sprintf("%s %s run %s: %s", clock(elapsed), markRun, current.Run, count(len(current.Services), "service")))
	}
	if current.Phase == v1alpha1.PhasePending && current.Message != previous.Message {
		return append(lines, fmt.Sprintf("%s %s %s", clock(elapsed), markWaiting, current.Message)) // the services are an older run's
	}
	for i := range current.Services {
		service := &current.Services[i]
		before := previous.Service(service.Name)
		if before != nil && before.State == service.State || service.State == v1alpha1.ServiceWaiting && !waiting {
			continue
		}
		lines = append(lines, clock(elapsed)+" "+sentence(before, service))
		lines = append(lines, reasons(service)...)
	}
	return lines
}

func sentence(before, s *v1alpha1.ServiceStatus) string {
	switch s.State {
	case v1alpha1.ServiceWaiting:
		return fmt.Sprintf("%s %s waits for %s", markWaiting, name(s), list(s.WaitingFor, "its turn"))
	case v1alpha1.ServiceProgressing:
		verb := "started"
		if before != nil && before.State == v1alpha1.ServiceReady {
			verb = "is not ready any more"
		}
		return fmt.Sprintf("%s %s %s%s", markProgress, name(s), verb, colon(s.Message))
	case v1alpha1.ServiceReady:
		return fmt.Sprintf("%s %s %s", markReady, name(s), readiness(s))
	case v1alpha1.ServiceFailed:
		return fmt.Sprintf("%s %s failed%s", markFailed, name(s), colon(why(s)))
	case v1alpha1.ServiceBlocked:
		return fmt.Sprintf("%s %s is blocked by %s", markBlocked, name(s), list(s.WaitingFor, "a failure"))
	}
	return fmt.Sprintf("%s %s is %s", markProgress, name(s), s.State)
}

func readiness(s *v1alpha1.ServiceStatus) string {
	took, known := took(s)
	if !known {
		return "is ready, unchanged"
	}
	return "ready in " + Seconds(took)
}

func why(s *v1alpha1.ServiceStatus) string {
	if s.Cause == nil {
		return s.Message
	}
	return fmt.Sprintf("%s: %s", s.Cause.Class, s.Cause.Sentence())
}

// reasons are the indented lines under a failure: where, what to do, the last log lines.
func reasons(s *v1alpha1.ServiceStatus) []string {
	if s.State != v1alpha1.ServiceFailed || s.Cause == nil {
		return nil
	}
	var lines []string
	if s.Cause.Object != "" {
		lines = append(lines, "        in "+s.Cause.Object+exit(s.Cause.ExitCode))
	}
	if s.Cause.Hint != "" {
		lines = append(lines, "        hint: "+s.Cause.Hint)
	}
	for _, line := range strings.Split(strings.TrimRight(s.Cause.Log, "\n"), "\n") {
		if s.Cause.Log != "" {
			lines = append(lines, "        | "+line)
		}
	}
	return lines
}

func exit(code *int32) string {
	if code == nil {
		return ""
	}
	return fmt.Sprintf(", exit code %d", *code)
}
