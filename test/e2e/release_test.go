//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// The samples of two pipelines: a tester takes what runs in integration with another image for
// one service, and what he has tested is released, the same digests.
func TestWhatATesterChoseIsReleased(t *testing.T) {
	t.Parallel()
	needsNode(t, "the steps of Tasks are containers")
	l := newLab(t)
	l.installCatalog()
	r := l.repository()
	r.commits("test it", greeter("web says hello"), "refs/heads/main", "refs/tags/v1.4.0")

	digest := l.digest("busybox:1")
	web := l.service("web", "page")
	web.Image, web.Expose = digest, &v1alpha1.Expose{Port: "http"}
	l.create(page(), product("shop", group("backend", l.service("orders", "page")), group("frontend", web)), l.environment("shop-integration", "shop"))
	l.reaches("shop-integration", v1alpha1.PhaseReady, 1)

	said, err := l.tool("", "bash", "-c", "spock env up early -n "+l.name+" --product shop --class "+l.name+" --from shop-integration 2>&1 || true")
	l.must(err)
	if !strings.Contains(said, "a release takes digests, and orders has "+l.image("busybox:1")) {
		t.Errorf("a tag was released: %s", said)
	}

	here := []string{"https://git.example.com/team-a/shop.git", r.url}
	run := l.endsWell(l.runSample("test-environment", append(here, "value: dev", "value: "+l.name,
		"registry.example.com/shop/orders@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", digest)...), patient)
	l.hasTested(run)
	l.endsWell(l.runSample("release", append(here, "value: staging", "value: "+l.name, "value: shop-integration", "value: shop-test")...), patient)

	tested, staging := l.reaches("shop-test", v1alpha1.PhaseReady, 1), l.reaches("shop-staging", v1alpha1.PhaseReady, 1)
	for _, service := range []string{"orders", "web"} {
		if a, b := tested.Status.Service(service).Image, staging.Status.Service(service).Image; a != digest || b != digest {
			t.Errorf("%s was tested as %s and released as %s, want %s", service, a, b, digest)
		}
	}
	if got := l.runs("shop-staging")[1].Spec.Source; got != "release 1.4.0" {
		t.Errorf("the run in staging says it is %q", got)
	}
}

// runSample runs the sample of a pipeline with some texts replaced.
func (l *lab) runSample(pipeline string, replace ...string) *tektonv1.PipelineRun {
	l.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "pipelines", pipeline, "samples", "shop.yaml"))
	l.must(err)
	var run tektonv1.PipelineRun
	l.must(yaml.UnmarshalStrict([]byte(strings.NewReplacer(replace...).Replace(string(raw))), &run))
	made, err := l.tekton.TektonV1().PipelineRuns(l.name).Create(l.ctx, &run, metav1.CreateOptions{})
	l.must(err)
	return made
}

// hasTested says that a run's summary counts tests that passed.
func (l *lab) hasTested(run *tektonv1.PipelineRun) {
	l.Helper()
	for _, result := range run.Status.Results {
		if result.Name == "summary" && strings.Contains(result.Value.StringVal, "1 passed") {
			return
		}
	}
	l.Errorf("the results of %s tell of no test that passed: %+v", run.Name, run.Status.Results)
}
