//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// simulated says whether the cluster's nodes are a fake kubelet's: no container runs.
func (c *cluster) simulated() bool { return c.settings["SIMULATED"] == "true" }

// needsNode skips a test that a fake kubelet cannot show.
func needsNode(t *testing.T, why string) {
	t.Helper()
	c, err := connect()
	if err == nil && c != nil && c.simulated() {
		t.Skip("no container runs on a simulated cluster: " + why)
	}
}

// TestASimulatedFaultIsNamedWithItsCause has the fake kubelet report what a real one would
// of a broken container. On a real node TestABrokenServiceIsNamedWithItsCause shows more.
func TestASimulatedFaultIsNamedWithItsCause(t *testing.T) {
	t.Parallel()
	c, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil || !c.simulated() {
		t.Skip("faults are simulated on a simulated cluster only")
	}
	tests := map[string]struct {
		tag      string
		class    v1alpha1.CauseClass
		sentence string
	}{
		"a secret that is not there":      {"bad-config-r1", v1alpha1.CauseConfig, `secret "gone" not found`},
		"a process that ends every time":  {"crash-loop-r1", v1alpha1.CauseCrashLoop, "ends with exit code 3 every time"},
		"a process that needs too much":   {"out-of-memory-r1", v1alpha1.CauseOutOfMemory, "memory"},
		"a probe that does not come true": {"probe-fails-r1", v1alpha1.CauseProbe, "Readiness probe failed: HTTP probe failed with statuscode: 503"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, func(class *v1alpha1.EnvironmentClassSpec) { class.NoProgressSeconds = 15 })
			broken := l.service("broken", "page")
			broken.Image = "bench.example/broken:" + tc.tag
			l.create(page(), l.shop(l.service("db", "page"), broken, l.service("web", "page")))
			end := l.ended(l.deploy("shop", "shop"))
			if !end.IsFalse() || end.Reason != "Failed" {
				t.Errorf("the CustomRun ended %s %s", end.Status, end.Reason)
			}
			env := l.reaches("shop", v1alpha1.PhaseFailed, 1)
			cause := env.Status.Service("broken").Cause
			if cause == nil || cause.Class != tc.class || !strings.Contains(cause.Sentence(), tc.sentence) || !strings.Contains(end.Message, tc.sentence) {
				t.Errorf("the cause is %+v and the CustomRun says %q, want class %s and %q", cause, end.Message, tc.class, tc.sentence)
			}
			if got := env.Status.Service("web").State; got != v1alpha1.ServiceBlocked {
				t.Errorf("web is %s, want blocked", got)
			}
		})
	}
}
