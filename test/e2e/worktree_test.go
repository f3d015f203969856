//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// A developer's tree that no branch has, and no commit, is built, tested and deployed by the
// sample of the pipeline for it; and again after a change, in the same environment.
func TestAWorkingTreeIsTestedBeforeItIsPushed(t *testing.T) {
	t.Parallel()
	needsNode(t, "the steps of Tasks are containers")
	l := newLab(t)
	registry := l.setting(t, "REGISTRY")
	l.setting(t, "INGRESS_PORT")
	l.installCatalog()
	l.greeterProduct()
	client := l.throughIngress()

	dir := t.TempDir()
	_, err := l.tool("", "git", "-C", dir, "init", "--quiet")
	l.must(err)
	for round, greeting := range []string{"hello", "hello again"} {
		for name, text := range greeter(greeting) {
			path := filepath.Join(dir, name)
			l.must(os.MkdirAll(filepath.Dir(path), 0o755))
			l.must(os.WriteFile(path, []byte(text), 0o600))
		}
		said := l.selfTest(dir, registry)
		env := l.reaches("shop-mine", v1alpha1.PhaseReady, int64(round+1))
		if !strings.Contains(said, "url: "+env.Status.URL+"\n") || !strings.Contains(said, "revision: tree-") || !strings.Contains(said, "1 passed, 0 failed") {
			t.Errorf("the run said\n%s", said)
		}
		l.eventually(soon, func(ctx context.Context) string { return ask(ctx, client, env.Status.URL, greeting+"\n") })
	}
}

// selfTest runs the sample on a tree, and returns what is printed.
func (l *lab) selfTest(dir, registry string) string {
	l.Helper()
	sample, err := os.ReadFile(filepath.Join(root, "pipelines", "self-test", "samples", "shop.yaml"))
	l.must(err)
	out, err := l.tool(string(sample), "spock", "pipeline", "run", "-n", l.name, "-f", "-", "--source", dir,
		"--to", registry+"/"+l.name+"/trees", "--pull-from", l.image(l.name+"/trees"), "--insecure-registry", "-p", "insecureRegistry=true",
		"-p", "image="+l.image(l.name), "-p", "baseImage="+l.image("static:nonroot"), "-p", "class="+l.name)
	l.must(err)
	return out
}
