package triggers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// The page's workspaces are of the claim that is shipped, and such that Tekton's default
// scheduling takes them: of one claim, `source` last.
func TestTheCacheOfThePageIsTheClaimThatIsShipped(t *testing.T) {
	t.Parallel()
	_, part, _ := strings.Cut(string(file(t, "..", "docs", "triggers.md")), "## Keep Go's caches\n")
	var workspaces []v1.WorkspaceBinding
	if err := yaml.UnmarshalStrict([]byte(blocks.FindStringSubmatch(part)[1]), &workspaces); err != nil {
		t.Fatal(err)
	}
	claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: objects(t, file(t, "cache.yaml"))[0].(*corev1.PersistentVolumeClaim).Name}
	want := []v1.WorkspaceBinding{
		{Name: "cache", SubPath: "cache", PersistentVolumeClaim: claim},
		{Name: "source", SubPath: "$(context.pipelineRun.name)", PersistentVolumeClaim: claim},
	}
	if diff := cmp.Diff(want, workspaces); diff != "" {
		t.Errorf("workspaces (-want +got):\n%s", diff)
	}
}

func TestOldSourcesAreSweptAndCachesStay(t *testing.T) {
	t.Parallel()
	sweep := objects(t, file(t, "cache.yaml"))[1].(*batchv1.CronJob).Spec.JobTemplate.Spec.Template.Spec
	unprivileged(t, sweep)
	if automount := sweep.AutomountServiceAccountToken; automount == nil || *automount {
		t.Error("the pod has a token that it does not need")
	}
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		"cache": 48 * time.Hour, "cache-main": 48 * time.Hour, "event-old": 25 * time.Hour, "event-new": 23 * time.Hour,
	} {
		made := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(made, "src"), 0o755); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(made, at, at); err != nil {
			t.Fatal(err)
		}
	}
	command := sweep.Containers[0].Command
	command[1] = dir // it is mounted at /runs there
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", command, err, out)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "cache"), filepath.Join(dir, "cache-main"), filepath.Join(dir, "event-new")}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
