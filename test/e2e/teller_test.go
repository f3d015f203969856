//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// tell follows the commands of docs/triggers.md that install what tells how runs went, with the
// config that is shipped, for the lab's double.
func (l *lab) tell(api *double) {
	l.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "triggers", "status", "config", "status.yaml"))
	l.must(err)
	dir := l.TempDir()
	here := strings.NewReplacer("https://api.github.com", api.url+"/api/v3", "https://jira.example.com", api.url+"/jira")
	l.must(os.WriteFile(filepath.Join(dir, "status.yaml"), []byte(here.Replace(string(raw))), 0o600))
	l.followPage("## Tell how every run went", strings.NewReplacer("team-a", l.name, "triggers/status/config", dir), "GITHUB_TOKEN="+apiToken, "JIRA_TOKEN="+apiToken)
	await(l, ref{deployments, l.name, "spock-status"}, 2*soon, "it stands", func(d *appsv1.Deployment) bool { return d != nil && d.Status.AvailableReplicas == 1 })
}

// Every run that a door has made is told, by nothing in its pipeline: one that goes well, one
// after a restart of what tells, a teardown, and one that cannot begin.
func TestEveryRunIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	l.greeterProduct()
	r := l.repository()
	api := l.double()
	d := l.openDoorToBuild(l.cached()...)
	l.tell(api)

	p := pull{number: 7, branch: "feature/SHOP-42-greet", association: "MEMBER", clone: r.url}
	p.commit = r.commits("say hello", greeter("hello"), "refs/heads/main", "refs/heads/"+p.branch, "refs/pull/7/head")
	l.endsWell(d.asks("pull_request", p.event("opened")), patient)
	env := l.reaches("shop-7", v1alpha1.PhaseReady, 1)
	l.eventually(soon, func(context.Context) string {
		if told := api.told(); told.issueStatus != "In Test" {
			return "the issue is " + told.issueStatus
		}
		return ""
	})
	api.isGood(t, p.commit, env.Status.URL)
	if got := api.told().statuses[p.commit+" spock/run"]; !slices.Equal(got, []string{"pending", "success"}) {
		t.Errorf("the statuses of the run are %q", got)
	}

	written := api.told().written
	l.must(l.kube.CoreV1().Pods(l.name).DeleteCollection(l.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=spock-status"}))
	l.endsWell(d.asks("pull_request", p.event("closed")), 3*soon)
	l.eventually(2*soon, func(context.Context) string {
		if told := api.told(); !strings.Contains(told.comments[0], "✅ Teardown") {
			return "the comment is " + told.comments[0]
		}
		return ""
	})
	if told := api.told(); len(told.comments) != 1 || told.written != written+1 || len(told.statuses[p.commit+" spock/run"]) != 2 {
		t.Errorf("%d comments, written %d times after %d, statuses %q: something was told twice", len(told.comments), told.written, written, told.statuses)
	}

	l.must(l.tekton.TektonV1().Pipelines(l.name).Delete(l.ctx, "commit-to-environment", metav1.DeleteOptions{}))
	p.commit = r.commits("say more", greeter("hello again"), "refs/heads/"+p.branch)
	lost := d.asks("pull_request", p.event("synchronize"))
	await(l, ref{pipelineRuns, l.name, lost.Name}, soon, "failed", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
	l.eventually(soon, func(context.Context) string {
		told := api.told()
		if got := told.statuses[p.commit+" spock/run"]; len(got) == 0 || got[len(got)-1] != "failure" || !strings.Contains(told.comments[0], "commit-to-environment") {
			return "the statuses are " + strings.Join(got, ", ") + ", the comment " + told.comments[0]
		}
		return ""
	})
	if told := api.told(); len(told.problems) > 0 {
		t.Errorf("requests that are not described: %q", told.problems)
	}
}
