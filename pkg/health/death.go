package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// crashRestarts is how often a container may come back before it counts as a loop.
const crashRestarts = 2

// crashPause is how long a container in a loop must run again before it is believed,
// so that the verdict does not turn with every try.
const crashPause = 10 * time.Second

// deathFinding judges a container by how it ended last.
func (c container) deathFinding(now time.Time) (finding, bool) {
	death := c.lastDeath()
	if death == nil {
		return finding{}, false
	}
	waits := c.waitingReason() == "CrashLoopBackOff"
	switch {
	case death.Reason == "OOMKilled" && c.status.RestartCount >= 1:
		return c.memoryFinding(death), true
	case neverStarted(death) && (waits || c.status.State.Terminated != nil):
		return c.configFinding(death.Message), true
	case c.status.RestartCount < crashRestarts:
		return finding{}, false
	case waits, death.ExitCode != 0 && !c.runsAgain(now):
		return c.crashFinding(death), true
	}
	return finding{}, false
}

// runsAgain says that the container has run long enough since it ended last.
func (c container) runsAgain(now time.Time) bool {
	running := c.status.State.Running
	return running != nil && now.Sub(running.StartedAt.Time) >= crashPause
}

// neverStarted says that the runtime could not even start the process.
func neverStarted(death *corev1.ContainerStateTerminated) bool {
	return death.Reason == "StartError" || death.Reason == "ContainerCannotRun"
}

func (c container) memoryFinding(death *corev1.ContainerStateTerminated) finding {
	limit := "its node has left"
	if memory, limited := c.spec.Resources.Limits[corev1.ResourceMemory]; limited {
		limit = "its limit of " + memory.String()
	}
	cause := c.cause(v1alpha1.CauseOutOfMemory,
		fmt.Sprintf("%s was killed because it used more memory than %s (%s)", c.title(), limit, times(c.status.RestartCount, "restart")),
		"raise the memory limit of the service, or make it use less")
	cause.ExitCode = &death.ExitCode
	return finding{rank: rankMemory, cause: cause, evidence: c.log()}
}

func (c container) crashFinding(death *corev1.ContainerStateTerminated) finding {
	message := fmt.Sprintf("%s ends with exit code %d every time (%s)", c.title(), death.ExitCode, times(c.status.RestartCount, "restart"))
	if said := oneLine(death.Message, 160); said != "" {
		message += ": " + said
	}
	cause := c.cause(v1alpha1.CauseCrashLoop, message, exitHint(death.ExitCode))
	cause.ExitCode = &death.ExitCode
	return finding{rank: rankCrash, cause: cause, evidence: c.log()}
}

// exitHint is the next step that an exit code suggests.
func exitHint(code int32) string {
	switch code {
	case 0:
		return "the process ended without an error, but a service has to keep running: check its command, or make it a Job"
	case 126, 127:
		return "the command was not found or is not executable: check command and args against the image"
	case 134, 139:
		return "the process crashed by itself: read its last log lines, and check that the image fits the node's architecture"
	case 137, 143:
		return "something outside stopped the process, most often its liveness probe: give the probe more time, or see why it does not answer"
	default:
		return "read its last log lines, correct the cause and deploy again"
	}
}

func times(n int32, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrappers are the layers a container runtime puts around the one part that says
// what is wrong.
var wrappers = regexp.MustCompile(`(?:rpc error: code = \w+ desc = |failed to [a-z ]*(?:container|task|shim|containerd task)[a-z ]*(?: "[0-9a-f]+")?: |OCI runtime create failed: |runc create failed: |unable to start container process: |error during container init: )+`)

// runtimeAnswer shortens what a container runtime says to the part about the user's doing.
func runtimeAnswer(said string) string {
	said = strings.TrimSuffix(wrappers.ReplaceAllString(said, ""), ": unknown")
	if said = oneLine(said, 200); said == "" {
		return "the node gives no reason"
	}
	return said
}
