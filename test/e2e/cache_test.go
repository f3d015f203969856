//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const keepCaches = "## Keep Go's caches"

// cached follows what docs/triggers.md tells of Go's caches, and returns what it tells to
// change in a template, as a change of the shipped ones.
func (l *lab) cached() []string {
	l.Helper()
	l.shares("pipeline")
	l.followPage(keepCaches, strings.NewReplacer("team-a", l.name))
	shipped, err := os.ReadFile(filepath.Join(root, "triggers", "github", "config", "up.yaml"))
	l.must(err)
	_, ofARun, _ := strings.Cut(string(shipped), "  workspaces:\n")
	return []string{ofARun, l.block("triggers.md", keepCaches, "yaml")}
}

// shares gives a claim of the lab the folder that the demo's claim of that name has: what the
// demo or another lab has compiled is not compiled again. Where a volume is no folder of the
// one node, the lab has one of its own.
func (l *lab) shares(claim string) {
	l.Helper()
	demo, err := l.kube.CoreV1().PersistentVolumeClaims("shop-team").Get(l.ctx, claim, metav1.GetOptions{})
	l.must(err)
	volumes := l.kube.CoreV1().PersistentVolumes()
	of, err := volumes.Get(l.ctx, demo.Spec.VolumeName, metav1.GetOptions{})
	l.must(err)
	if of.Spec.HostPath == nil {
		return
	}
	own := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: l.name}, Spec: of.Spec}
	own.Spec.ClaimRef = &corev1.ObjectReference{Namespace: l.name, Name: claim}
	own.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
	own.Spec.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Ti")}
	_, err = volumes.Create(l.ctx, own, metav1.CreateOptions{})
	l.must(err)
	l.Cleanup(func() { l.must(volumes.Delete(context.Background(), l.name, metav1.DeleteOptions{})) })
}

// The sources of runs that are long over go from the volume that all runs have; what runs now,
// and the caches, stay.
func TestSourcesOfOldRunsAreSwept(t *testing.T) {
	t.Parallel()
	needsNode(t, "nothing is swept")
	l := newLab(t)
	l.followPage(keepCaches, strings.NewReplacer("team-a", l.name))
	l.onVolume("mkdir -p cache/go cache-main event-old/src event-new && touch -d '2 days ago' cache cache-main event-old")
	const job = `kubectl create job sweep -n $0 --from=cronjob/spock-events-sweep && kubectl wait -n $0 --for=condition=Complete --timeout=2m job/sweep`
	_, err := l.tool("", "bash", "-ec", job, l.name)
	l.must(err)
	if got, want := l.onVolume("echo *"), "cache cache-main event-new\n"; got != want {
		t.Errorf("on the volume are %q, want %q", got, want)
	}
}

// onVolume runs a script in the volume of the lab's claim, as the user that Tasks run as.
func (l *lab) onVolume(script string) string {
	l.Helper()
	pod := strings.NewReplacer("IMAGE", l.image("debian:12"), "SCRIPT", script).Replace(`apiVersion: v1
kind: Pod
metadata: {name: looks}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 65532, fsGroup: 65532}
  containers:
    - {name: looks, image: IMAGE, command: [sh, -ec, "SCRIPT"], workingDir: /runs, volumeMounts: [{name: runs, mountPath: /runs}]}
  volumes: [{name: runs, persistentVolumeClaim: {claimName: pipeline}}]
`)
	out, err := l.tool(pod, "bash", "-ec", `kubectl create -n $0 -f - >/dev/null
kubectl wait -n $0 --for=jsonpath='{.status.phase}'=Succeeded --timeout=1m pod/looks >/dev/null
kubectl logs -n $0 looks; kubectl delete pod -n $0 looks >/dev/null`, l.name)
	l.must(err)
	return out
}
