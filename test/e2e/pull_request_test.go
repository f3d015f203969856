//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// patient is how long a run may take that compiles, on a machine with other work.
const patient = 10 * time.Minute

// greeterProduct is what the repository's service needs to be deployed.
func (l *lab) greeterProduct() {
	l.Helper()
	l.create(&v1alpha1.ServiceTemplate{Spec: v1alpha1.ServiceTemplateSpec{
		Ports: []v1alpha1.Port{{Name: "http", Port: 8080}}, Readiness: &v1alpha1.Readiness{TCP: &v1alpha1.TCPProbe{}, PeriodSeconds: 1},
		Container: &v1alpha1.Container{RunAsUser: ptr.To[int64](65532)},
	}, ObjectMeta: product("web").ObjectMeta},
		product("shop", group("frontend", v1alpha1.ProductService{Name: "web", Template: "web", Expose: &v1alpha1.Expose{Port: "http"}})))
}

// openDoorToBuild opens the door with the config that is shipped, for the lab's product and the
// cluster's registry.
func (l *lab) openDoorToBuild(more ...string) *door {
	l.Helper()
	registry := "    - name: baseImage\n      value: " + l.image("static:nonroot") + "\n    - name: insecureRegistry\n      value: \"true\"\n"
	return l.openDoor("github", append(more,
		"registry.example.com/shop", l.image(l.name), "value: dev", "value: "+l.name, "    - name: product\n", registry+"    - name: product\n")...)
}

// A pull request is built, tested and deployed from a git server into an environment of its own,
// again with what is pushed to it, and the environment goes when it is closed.
func TestAPullRequestHasAnEnvironmentWhileItIsOpen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	l.greeterProduct()
	r := l.repository()
	d := l.openDoorToBuild()

	p := pull{number: 7, branch: "feature/SHOP-42-greet", association: "MEMBER", clone: r.url}
	p.commit = r.commits("say hello", greeter("hello"), "refs/heads/main", "refs/heads/"+p.branch, "refs/pull/7/head")
	opened := p.event("opened")
	run := l.endsWell(d.asks("pull_request", opened), patient)
	env := l.reaches("shop-7", v1alpha1.PhaseReady, 1)
	l.eventually(soon, func(ctx context.Context) string { return ask(ctx, d.client, env.Status.URL, "hello\n") })
	for _, result := range run.Status.Results {
		if result.Name == "commit" && result.Value.StringVal != p.commit {
			t.Errorf("commit %s was built, want %s", result.Value.StringVal, p.commit)
		}
	}
	if got := env.Status.Service("web").Image; !strings.Contains(got, "@sha256:") {
		t.Errorf("image %s runs, want a digest", got)
	}

	p.commit = r.commits("say more", greeter("hello again"), "refs/heads/"+p.branch, "refs/pull/7/head")
	l.endsWell(d.asks("pull_request", p.event("synchronize")), patient)
	l.eventually(soon, func(ctx context.Context) string { return ask(ctx, d.client, env.Status.URL, "hello again\n") })
	d.sends("pull_request", opened, 202, "is there already")

	l.endsWell(d.asks("pull_request", p.event("closed")), 3*soon)
	l.gone(l.environmentRef("shop-7"), 2*soon)
	l.gone(ref{namespaces, "", l.home("shop-7")}, 2*soon)
	d.runsAre(3)
}
