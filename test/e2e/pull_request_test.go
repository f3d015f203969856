//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
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
	api := l.double()
	d := l.openDoorToBuild(append(l.statusOut(api), l.cached()...)...)

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

	api.isGood(t, p.commit, env.Status.URL)

	p.commit = r.commits("say more", greeter("hello again"), "refs/heads/"+p.branch, "refs/pull/7/head")
	l.endsWell(d.asks("pull_request", p.event("synchronize")), patient)
	l.eventually(soon, func(ctx context.Context) string { return ask(ctx, d.client, env.Status.URL, "hello again\n") })
	d.sends("pull_request", opened, 202, "is there already")

	broken := greeter("hello again")
	broken["greeting/text_test.go"] = strings.Replace(broken["greeting/text_test.go"], `Text() == ""`, `Text() != "good day"`, 1)
	p.commit = r.commits("ask for more", broken, "refs/heads/"+p.branch, "refs/pull/7/head")
	failed := d.asks("pull_request", p.event("synchronize"))
	await(l, ref{pipelineRuns, l.name, failed.Name}, patient, "failed", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
	api.saysWhyItFailed(t, p.commit)

	l.endsWell(d.asks("pull_request", p.event("closed")), 3*soon)
	l.gone(l.environmentRef("shop-7"), 2*soon)
	l.gone(ref{namespaces, "", l.home("shop-7")}, 2*soon)
	d.runsAre(4)
}

// A pull request that is closed while a run still builds it gets no environment afterwards.
func TestAPullRequestIsClosedWhileItIsBuilt(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	l.greeterProduct()
	r := l.repository()
	d := l.openDoorToBuild()
	p := pull{number: 8, branch: "feature/hasty", association: "MEMBER", clone: r.url}
	p.commit = r.commits("say hello", greeter("hello"), "refs/heads/main", "refs/heads/"+p.branch, "refs/pull/8/head")
	built := d.asks("pull_request", p.event("opened"))
	await(l, ref{pipelineRuns, l.name, built.Name}, 2*soon, "it is under way", func(run *tektonv1.PipelineRun) bool { return run != nil && len(run.Status.ChildReferences) > 0 })

	closed := l.endsWell(d.asks("pull_request", p.event("closed")), patient)
	ended := await(l, ref{pipelineRuns, l.name, built.Name}, soon, "it has ended", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
	if ended.Status.CompletionTime.After(closed.Status.CompletionTime.Time) {
		t.Errorf("the run ended at %s, after the environment was taken away at %s", ended.Status.CompletionTime, closed.Status.CompletionTime)
	}
	if ended.Spec.Status != tektonv1.PipelineRunSpecStatusCancelledRunFinally {
		t.Errorf("the run was not cancelled: %q", ended.Spec.Status)
	}
	l.gone(l.environmentRef("shop-8"), soon)
}

// Of two pushes the later is deployed: its run cancels the one that still builds what was before.
func TestOfTwoPushesTheLaterIsDeployed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	l.greeterProduct()
	r := l.repository()
	d := l.openDoorToBuild()
	p := pull{number: 9, branch: "feature/twice", association: "MEMBER", clone: r.url}
	p.commit = r.commits("say hello", greeter("hello"), "refs/heads/main", "refs/heads/"+p.branch, "refs/pull/9/head")
	earlier := d.asks("pull_request", p.event("opened"))
	await(l, ref{pipelineRuns, l.name, earlier.Name}, 2*soon, "it is under way", func(run *tektonv1.PipelineRun) bool { return run != nil && len(run.Status.ChildReferences) > 0 })
	p.commit = r.commits("say more", greeter("hello again"), "refs/heads/"+p.branch, "refs/pull/9/head")
	l.endsWell(d.asks("pull_request", p.event("synchronize")), patient)
	ended := await(l, ref{pipelineRuns, l.name, earlier.Name}, soon, "it has ended", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
	if ended.Spec.Status != tektonv1.PipelineRunSpecStatusCancelledRunFinally {
		t.Errorf("the earlier run was not cancelled: %q", ended.Spec.Status)
	}
	env := l.reaches("shop-9", v1alpha1.PhaseReady, 1)
	l.eventually(soon, func(ctx context.Context) string { return ask(ctx, d.client, env.Status.URL, "hello again\n") })
}

// statusOut is what docs/triggers.md tells to add to a template, as a change of the shipped ones.
func (l *lab) statusOut(api *double) []string {
	l.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "triggers.md"))
	l.must(err)
	_, part, _ := strings.Cut(string(page), "## Status out")
	part, _, _ = strings.Cut(part, "\n## ")
	blocks := fence.FindAllStringSubmatch(part, -1)
	if len(blocks) != 3 || blocks[2][1] != "sh" {
		l.Fatalf("the page tells %d blocks about status out, want params, workspaces and commands", len(blocks))
	}
	commands := "export GITHUB_TOKEN=" + apiToken + " JIRA_TOKEN=" + apiToken + "\n"
	_, err = l.tool("", "bash", "-ec", commands+strings.ReplaceAll(blocks[2][2], "team-a", l.name))
	l.must(err)
	params := strings.Replace(blocks[0][2], "https://jira.example.com", api.url+"/jira", 1) + "    - name: githubApi\n      value: " + api.url + "/api/v3\n"
	own := "    - name: environment\n      value: shop-$(event.number)\n"
	const next, shared = "    # Of two pushes", "  workspaces:\n"
	return []string{own + next, own + params + next, shared, shared + blocks[1][2]}
}

// isGood says that all tasks of a commit are told as pending, then as good, and that comment
// and issue lead to the environment.
func (d *double) isGood(t *testing.T, commit, url string) {
	t.Helper()
	told := d.told()
	if len(told.problems) > 0 {
		t.Errorf("requests that are not described: %q", told.problems)
	}
	for _, task := range []string{"clone", "build", "unit-test", "deploy", "integration-test"} {
		if got := told.statuses[commit+" spock/"+task]; !slices.Equal(got, []string{"pending", "success"}) {
			t.Errorf("the statuses of %s are %q", task, got)
		}
	}
	if len(told.comments) != 1 || len(told.issueComments) != 1 {
		t.Fatalf("%d comments on the pull request, %d on the issue; want one of each", len(told.comments), len(told.issueComments))
	}
	for _, part := range []string{url, "image deployed", "@sha256:", "1 passed, 0 failed, 0 skipped, coverage"} {
		if !strings.Contains(told.comments[0], part) {
			t.Errorf("the comment does not tell %q:\n%s", part, told.comments[0])
		}
	}
	if !strings.Contains(told.issueComments[0], url) || told.issueStatus != "In Test" {
		t.Errorf("the issue is %s, with the comment\n%s", told.issueStatus, told.issueComments[0])
	}
	for _, link := range told.links {
		if link != url {
			t.Errorf("the issue leads to %s, want %s", link, url)
		}
	}
	if len(told.links) != 1 {
		t.Errorf("the issue has %d links", len(told.links))
	}
}

// saysWhyItFailed says the same of a commit whose unit test fails; the comment is the same one, edited.
func (d *double) saysWhyItFailed(t *testing.T, commit string) {
	t.Helper()
	told := d.told()
	if len(told.problems) > 0 {
		t.Errorf("requests that are not described: %q", told.problems)
	}
	for task, end := range map[string]string{"clone": "success", "build": "success", "unit-test": "failure", "deploy": "error", "integration-test": "error"} {
		if got := told.statuses[commit+" spock/"+task]; !slices.Equal(got, []string{"pending", end}) {
			t.Errorf("the statuses of %s are %q, want pending and %s", task, got, end)
		}
	}
	if len(told.comments) != 1 || told.written < 3 {
		t.Fatalf("%d comments, written %d times; want one that is edited", len(told.comments), told.written)
	}
	for _, part := range []string{"**Why unit-test failed**", "TestText", "1 failed"} {
		if !strings.Contains(told.comments[0], part) {
			t.Errorf("the comment does not tell %q:\n%s", part, told.comments[0])
		}
	}
}
