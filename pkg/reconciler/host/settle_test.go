package host

import (
	"strings"
	"testing"
	"time"

	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/target/host"
)

// tells runs a pass, and says what the status tells of services then, and when another
// pass is asked for.
func (r *rig) tells() (services string, again time.Duration) {
	r.Helper()
	err := r.pass()
	if err != nil {
		asked := false
		if asked, again = controller.IsRequeueKey(err); !asked {
			r.Fatal(err)
		}
	}
	var all []string
	for _, a := range r.stored().Status.Allocations {
		all = append(all, a.Service+" "+a.State)
	}
	return strings.Join(all, ", "), again
}

// What comes and goes on a machine within a moment is one write, and what is as before
// after it is none.
func TestWhatDoesNotLastIsNotWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t, machine(), host.Sight{Connected: true}, nil)
	step := func(what string, after time.Duration, sight host.Sight, want string, wantAgain time.Duration) {
		t.Helper()
		r.clock.SetTime(r.clock.Now().Add(after))
		r.fleet.sight = sight
		if got, again := r.tells(); got != want || again != wantAgain {
			t.Errorf("%s: %q and again in %s, want %q and %s", what, got, again, want, wantAgain)
		}
	}
	web, db := service("shop", "web", "active"), service("shop", "db", "active")
	step("it is connected", 0, on(web), "web Running", 0)
	starts := service("shop", "db", "activating")
	step("another comes", time.Second, on(web, starts), "web Running", settlesPlace)
	step("a moment later", time.Second, on(web, starts), "web Running", settlesPlace-time.Second)
	step("it runs before that was told", 500*time.Millisecond, on(web, db), "db Running, web Running", 0)
	slow := service("shop", "slow", "activating")
	step("one that takes its time", time.Second, on(web, db, slow), "db Running, web Running", settlesPlace)
	step("is told as it starts", settlesPlace, on(web, db, slow), "db Running, slow Starting, web Running", 0)
	step("it has gone again", time.Second, on(web, db), "db Running, slow Starting, web Running", settlesPlace)
	step("and stays away", settlesPlace, on(web, db), "db Running, web Running", 0)
	step("one is updated", time.Second, on(service("shop", "web", "deactivating"), db), "db Running, web Running", settlesState)
	step("it is back", 3*time.Second, on(web, db), "db Running, web Running", 0)
	step("one has failed", time.Second, on(service("shop", "web", "failed"), db), "db Running, web Running", settlesState)
	step("and has stayed so", settlesState, on(service("shop", "web", "failed"), db), "db Running, web Failed", 0)
	step("one has gone", time.Second, on(db), "db Running, web Failed", settlesPlace)
	step("and the machine is away", time.Second, host.Sight{Failure: &host.Failure{Class: host.Unreachable, Host: "db1", Message: "it does not answer"}}, "db Running, web Failed", 0)
	if got := r.stored().Status.GetCondition("Ready"); got.Reason != "HostUnreachable" {
		t.Errorf("that it is away is told as %+v", got)
	}
}
