package progress

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Table lists groups and services, in plan order, with how long each took, and closes
// with the environment as a whole.
func Table(environment *v1alpha1.Environment, elapsed time.Duration) []string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "GROUP\tSERVICE\tSTATE\tTOOK\tIMAGE")
	group := ""
	for i := range environment.Status.Services {
		s := &environment.Status.Services[i]
		if s.Group != group || i == 0 {
			group = s.Group
			fmt.Fprintf(w, "%s\t\t%s\t%s\t\n", s.Group, tally(environment.Status.Services, group), span(environment.Status.Services, group))
		}
		fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\n", s.Name, s.State, duration(s), s.Image)
	}
	w.Flush()
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return append(append(lines, ""), closing(environment, elapsed)...)
}

func closing(e *v1alpha1.Environment, elapsed time.Duration) []string {
	lines := []string{fmt.Sprintf("environment %s/%s is %s after %s%s", e.Namespace, e.Name, e.Status.Phase, Seconds(elapsed), colon(e.Status.Message))}
	if e.Status.Phase == v1alpha1.PhaseReady && e.Status.URL != "" {
		lines = append(lines, e.Status.URL)
	}
	return lines
}

func duration(s *v1alpha1.ServiceStatus) string {
	if d, known := took(s); known {
		return Seconds(d)
	}
	return "-"
}

func tally(services []v1alpha1.ServiceStatus, group string) string {
	ready, all := 0, 0
	for i := range services {
		if services[i].Group != group {
			continue
		}
		all++
		if services[i].State == v1alpha1.ServiceReady {
			ready++
		}
	}
	return fmt.Sprintf("%d/%d", ready, all)
}

// span is the time from the group's first write to its last readiness.
func span(services []v1alpha1.ServiceStatus, group string) string {
	var first, last time.Time
	for i := range services {
		s := &services[i]
		if s.Group != group || s.StartedAt == nil {
			continue
		}
		if first.IsZero() || s.StartedAt.Time.Before(first) {
			first = s.StartedAt.Time
		}
		if s.ReadyAt != nil && s.ReadyAt.After(last) {
			last = s.ReadyAt.Time
		}
	}
	if first.IsZero() || last.IsZero() {
		return "-"
	}
	return Seconds(last.Sub(first))
}

// Failures says, for each failed service, why, and who waits for it in vain; at last why
// something was rolled back. It is empty when nothing failed.
func Failures(status v1alpha1.EnvironmentStatus) []string {
	var lines []string
	for i := range status.Services {
		s := &status.Services[i]
		if s.State != v1alpha1.ServiceFailed {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s%s", markFailed, name(s), colon(why(s))))
		lines = append(lines, reasons(s)...)
		if held := blockedBy(status.Services, s.Name); len(held) > 0 {
			lines = append(lines, "        blocks "+list(held, ""))
		}
	}
	return append(lines, rolledBack(status)...)
}

// rolledBack says what failed that does not run any more.
func rolledBack(status v1alpha1.EnvironmentStatus) []string {
	rb := status.Rollback
	if rb == nil || rb.Asked() {
		return nil
	}
	if now := status.Service(rb.Service); now != nil && now.State == v1alpha1.ServiceFailed {
		return nil // told already
	}
	s := &v1alpha1.ServiceStatus{Name: rb.Service, State: v1alpha1.ServiceFailed, Cause: rb.Cause}
	lines := []string{fmt.Sprintf("%s %s failed in run %s%s", markFailed, rb.Service, rb.From, colon(why(s)))}
	lines = append(lines, reasons(s)...)
	return append(lines, fmt.Sprintf("        %s back to what run %s wrote", list(rb.Services, "all services"), rb.To))
}

func blockedBy(services []v1alpha1.ServiceStatus, failed string) []string {
	var out []string
	for i := range services {
		s := &services[i]
		if s.State != v1alpha1.ServiceBlocked {
			continue
		}
		for _, other := range s.WaitingFor {
			if other == failed {
				out = append(out, s.Name)
				break
			}
		}
	}
	return out
}
