//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// What was planned is what runs, also of an environment that was not there yet; a plan that
// does not hold any more is refused.
func TestADeployIsTheOneThatWasPlanned(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), product("shop", group("frontend", l.service("web", "page"))))
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	wish := " shop -n " + l.name + " --product shop --class " + l.name
	spock := func(command string) string {
		out, err := l.tool("", "bash", "-c", "spock env "+command+" 2>&1; echo exit $?")
		l.must(err)
		return out
	}
	first := digest.FindString(spock("plan" + wish))
	if out := spock("up" + wish + " --plan " + first); !strings.HasSuffix(out, "exit 0\n") {
		t.Fatalf("env up with the digest of the plan says\n%s", out)
	}
	if got := l.runs("shop")[1].Spec.PlanDigest; got != first || first == "" {
		t.Errorf("%q was planned, and %s runs", first, got)
	}

	stored, err := l.spock.SpockV1alpha1().ServiceTemplates(l.name).Get(l.ctx, "page", metav1.GetOptions{})
	l.must(err)
	stored.Spec.Files[0].Content += "and more\n"
	_, err = l.spock.SpockV1alpha1().ServiceTemplates(l.name).Update(l.ctx, stored, metav1.UpdateOptions{})
	l.must(err)
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	if out := spock("up" + wish + " --param greeting=hey --plan " + first); !strings.Contains(out, "spec.run.planDigest: "+first+" was planned, and sha256:") || !strings.HasSuffix(out, "exit 1\n") {
		t.Errorf("env up with the digest of an older plan says\n%s", out)
	}
	second := digest.FindString(spock("plan" + wish + " --param greeting=hey"))
	if out := spock("up" + wish + " --param greeting=hey --plan " + second); !strings.HasSuffix(out, "exit 0\n") || second == first {
		t.Errorf("env up with the digest of the newest plan says\n%s", out)
	}
}
