//go:build e2e

package e2e

import (
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestANewSpecTakesOverFromOneThatIsStuck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		template     *v1alpha1.ServiceTemplate // of the first spec's orders
		image        string
		at           v1alpha1.ServiceState
		message      string
		supersededBy string
	}{
		"on an image that does not exist": {
			image: "nowhere:1", at: v1alpha1.ServiceFailed,
			message: "",
		},
		"on a start that takes for ever": {
			image: "debian:12", at: v1alpha1.ServiceProgressing,
			message: "superseded by run shop-2", supersededBy: "shop-2",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.image != "nowhere:1" {
				needsNode(t, "one that never gets ready would show it")
			}
			l := newLab(t)
			// Ready with busybox's httpd alone: debian has none, and waits.
			fussy := shell("fussy", "command -v httpd && touch /tmp/ready\nsleep 100000 & wait $!")
			fussy.Spec.Readiness = &v1alpha1.Readiness{Exec: &v1alpha1.ExecProbe{Command: []string{"test", "-e", "/tmp/ready"}}, PeriodSeconds: 1}
			env := l.environment("shop", "shop")
			env.Spec.Services = []v1alpha1.ServiceOverride{{Name: "orders", Image: l.image(tc.image)}}
			l.create(page(), fussy, l.shop(l.service("db", "page"), l.service("orders", "fussy"), l.service("web", "page")), env)
			l.isAt("shop", "orders", tc.at)

			generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) { spec.Services = nil })
			l.reaches("shop", v1alpha1.PhaseReady, generation)
			runs := l.runs("shop")
			first, second := runs[1].Status, runs[2].Status
			if first.Phase != v1alpha1.PhaseFailed || first.SupersededBy != tc.supersededBy || first.CompletionTime == nil || tc.message != "" && first.Message != tc.message {
				t.Errorf("the first run ended %s, superseded by %q: %s", first.Phase, first.SupersededBy, first.Message)
			}
			if second.Phase != v1alpha1.PhaseReady || len(runs) != 2 {
				t.Errorf("the second of %d runs ended %s: %s", len(runs), second.Phase, second.Message)
			}
		})
	}
}
