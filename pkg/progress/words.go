package progress

import (
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Seconds writes a duration as people read it in a log: 4.1s, 2m05s.
func Seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
}

// clock is the column in front of each line.
func clock(d time.Duration) string { return fmt.Sprintf("%7s", Seconds(d)) }

func name(s *v1alpha1.ServiceStatus) string {
	if s.Group == "" {
		return s.Name
	}
	return s.Group + "/" + s.Name
}

func took(s *v1alpha1.ServiceStatus) (time.Duration, bool) {
	if s.StartedAt == nil || s.ReadyAt == nil {
		return 0, false
	}
	return s.ReadyAt.Sub(s.StartedAt.Time), true
}

// list joins names and shortens what nobody reads to the end.
func list(names []string, none string) string {
	const most = 5
	switch {
	case len(names) == 0:
		return none
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
