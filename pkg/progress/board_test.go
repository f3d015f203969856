package progress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func started(at float64, message string) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) { s.StartedAt, s.Message = second(at), message }
}

// shop is in the middle of coming up: of each state there is a service.
func shop() v1alpha1.EnvironmentStatus {
	failed := func(s *v1alpha1.ServiceStatus) {
		s.Cause = &v1alpha1.Cause{Class: v1alpha1.CauseImage, Message: "image mail:2 was not found"}
	}
	return v1alpha1.EnvironmentStatus{Phase: v1alpha1.PhaseProgressing, Run: "shop-1", Services: []v1alpha1.ServiceStatus{
		service("data", "postgres", v1alpha1.ServiceReady, times(0, 4.1)),
		service("data", "redis", v1alpha1.ServiceReady, times(0, 2)),
		service("backend", "orders", v1alpha1.ServiceProgressing, started(4.1, "0 of 1 pods are ready")),
		service("backend", "cart", v1alpha1.ServiceProgressing),
		service("backend", "mail", v1alpha1.ServiceFailed, failed),
		service("backend", "audit", v1alpha1.ServiceReady, times(4, 5)),
		service("frontend", "web", v1alpha1.ServiceWaiting, waits("orders", "cart")),
		service("frontend", "letters", v1alpha1.ServiceBlocked, waits("mail")),
		service("frontend", "admin", v1alpha1.ServiceWaiting),
	}}
}

func TestBoard(t *testing.T) {
	t.Parallel()
	for name, height := range map[string]int{"board.txt": 20, "board-low.txt": 6, "board-lower.txt": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := Board(shop(), 12300*time.Millisecond, time.Unix(12, 300_000_000), height)
			if len(lines) > height {
				t.Errorf("%d lines on %d", len(lines), height)
			}
			golden(t, name, lines)
		})
	}
}

// TestABoardIsNeverHigherThanItsScreen has 500 services, in all states.
func TestABoardIsNeverHigherThanItsScreen(t *testing.T) {
	t.Parallel()
	states := []v1alpha1.ServiceState{v1alpha1.ServiceWaiting, v1alpha1.ServiceProgressing, v1alpha1.ServiceReady, v1alpha1.ServiceFailed, v1alpha1.ServiceBlocked}
	var status v1alpha1.EnvironmentStatus
	for i := range 500 {
		status.Services = append(status.Services, service(fmt.Sprint("group-", i/100), fmt.Sprint("s", i), states[i%len(states)]))
	}
	for height := range 40 {
		lines := Board(status, 0, time.Unix(0, 0), height)
		if len(lines) > height {
			t.Errorf("%d lines on %d", len(lines), height)
		}
		if height > 1 && !strings.Contains(lines[0], "100 of 500 services ready") {
			t.Errorf("it begins with %q", lines[0])
		}
	}
	if lines := Board(v1alpha1.EnvironmentStatus{}, 0, time.Unix(0, 0), 10); lines != nil {
		t.Errorf("of nothing: %q", lines)
	}
}
