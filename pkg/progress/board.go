package progress

import (
	"fmt"
	"slices"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Board is how a rollout stands, in at most height lines, for a screen on which it is drawn
// over and over: the groups that are not ready, and in them what moves and for how long, what
// has failed, and what the rest waits for. What does not fit is counted. elapsed is the time
// since the story began, now that of the services' times.
func Board(status v1alpha1.EnvironmentStatus, elapsed time.Duration, now time.Time, height int) []string {
	if len(status.Services) == 0 || height < 2 || status.Phase == v1alpha1.PhasePending {
		return nil // what is pending has an older run's services
	}
	head := fmt.Sprintf("%s %s %d of %s ready", clock(elapsed), markRun, ready(status.Services), count(len(status.Services), "service"))
	rows := append([]string{head}, board(status.Services, now, true)...)
	if len(rows) > height {
		rows = append([]string{head}, board(status.Services, now, false)...)
	}
	if more := len(rows) - height; more > 0 {
		rows = append(rows[:height-1], fmt.Sprintf("        … and %d more lines", more+1))
	}
	return rows
}

// board are the lines of the groups. Those that wait have a line each, or are counted.
func board(services []v1alpha1.ServiceStatus, now time.Time, waiting bool) []string {
	var rows []string
	for _, group := range groups(services) {
		var own []string
		waits := 0
		for i := range services {
			s := &services[i]
			held := s.State == v1alpha1.ServiceWaiting || s.State == v1alpha1.ServiceBlocked
			switch {
			case s.Group != group, s.State == v1alpha1.ServiceReady:
			case held && !waiting:
				waits++
			default:
				own = append(own, "        "+standing(s, now))
			}
		}
		if len(own)+waits == 0 {
			continue
		}
		line := fmt.Sprintf("      %s %s", tally(services, group), group)
		if waits > 0 {
			line += fmt.Sprintf(", %d to come", waits)
		}
		rows = append(append(rows, line), own...)
	}
	return rows
}

// standing is the line of a service that is not ready.
func standing(s *v1alpha1.ServiceStatus, now time.Time) string {
	switch s.State {
	case v1alpha1.ServiceProgressing:
		since := ""
		if s.StartedAt != nil {
			since = " " + Seconds(max(0, now.Sub(s.StartedAt.Time)))
		}
		return fmt.Sprintf("%s %s%s%s", markProgress, s.Name, since, colon(s.Message))
	case v1alpha1.ServiceFailed:
		return fmt.Sprintf("%s %s failed%s", markFailed, s.Name, colon(why(s)))
	case v1alpha1.ServiceBlocked:
		return fmt.Sprintf("%s %s is blocked by %s", markBlocked, s.Name, list(s.WaitingFor, "a failure"))
	}
	return fmt.Sprintf("%s %s waits for %s", markWaiting, s.Name, list(s.WaitingFor, "its turn"))
}

// groups are the names of the groups in plan order.
func groups(services []v1alpha1.ServiceStatus) []string {
	var names []string
	for i := range services {
		if !slices.Contains(names, services[i].Group) {
			names = append(names, services[i].Group)
		}
	}
	return names
}

func ready(services []v1alpha1.ServiceStatus) int {
	n := 0
	for i := range services {
		if services[i].State == v1alpha1.ServiceReady {
			n++
		}
	}
	return n
}
