//go:build e2e

package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// The bundles that make catalog pushes are run by the bundles resolver, and what lies in a
// repository by the git resolver, in a namespace in which no Task and no Pipeline is installed.
func TestTheCatalogIsTakenByResolvers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	registry := l.setting(t, "REGISTRY")
	pushed := l.makeCatalog(registry, "spock/"+l.name)
	for _, name := range []string{"task-deploy-env:", "task-teardown-env:", "pipeline-deploy-only:"} {
		if !strings.Contains(pushed, name) {
			t.Fatalf("make catalog pushes no %s:\n%s", name, pushed)
		}
	}
	// Whoever follows the log has that long to see its first lines, however busy the machine is.
	late := l.slow("web")
	late.Parameters["delay"] = *raw(40)
	l.create(page(), l.shop(l.slow("db"), l.slow("orders"), l.slow("web")), product("late", group("frontend", late)))

	live := l.start(bundled(l.image("../spock/"+l.name), "task", "deploy-env", "environment: one, product: late, class: "+l.name))
	if log, early := l.follows(live, "[deploy-env : deploy]", "environment "+l.name+"/one: product late"); !strings.Contains(log, "web") || !early {
		t.Errorf("told while the run is under way: %v; the log tells nothing of web, or this:\n%s", early, log)
	}
	l.endsWell(live, 3*soon)
	l.endsWell(l.start(bundled(l.image("../spock/"+l.name), "pipeline", "deploy-only", "environment: two, product: shop, class: "+l.name)), 3*soon)

	r := l.repository()
	resolved, err := l.tool("", "demo", "resolve", "tasks/teardown-env")
	l.must(err)
	only, err := os.ReadFile(filepath.Join(root, "pipelines", "deploy-only", "deploy-only.yaml"))
	l.must(err)
	r.commits("the catalog", map[string]string{
		"tasks/teardown-env/teardown-env.yaml": resolved, "pipelines/deploy-only/deploy-only.yaml": string(only),
	}, "refs/heads/main", "refs/tags/v0.1.0")
	l.endsWell(l.start(fromGit(r.url, "pipeline", "pipelines/deploy-only/deploy-only.yaml", "environment: three, product: shop, class: "+l.name)), 3*soon)
	l.endsWell(l.start(fromGit(r.url, "task", "tasks/teardown-env/teardown-env.yaml", "environment: three")), 3*soon)
	l.gone(l.environmentRef("three"), soon)
	l.composes(r)
}

// composes runs the Pipeline of docs/catalog.md that takes stages from the catalog and one from
// the team's repository.
func (l *lab) composes(r *repository) {
	l.Helper()
	here := strings.NewReplacer("registry.example.com/spock/bundles", strings.Replace(l.image("../spock/"+l.name), "/../", "/", 1), "class, value: dev", "class, value: "+l.name)
	_, err := l.tool(here.Replace(l.block("catalog.md", "## A Pipeline of your own", "yaml")), "kubectl", "apply", "-n", l.name, "-f", "-")
	l.must(err)
	check := `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: check}
spec:
  workspaces: [{name: source}]
  steps:
    - name: check
      image: ` + l.image("busybox:1") + `
      command: [grep, -q, well, $(workspaces.source.path)/tekton/word]
      computeResources: {requests: {cpu: 10m, memory: 16Mi}}
`
	commit := r.commits("a stage of our own", map[string]string{"tekton/check.yaml": check, "tekton/word": "well done\n"}, "refs/heads/checked")
	var run tektonv1.PipelineRun
	l.must(yaml.UnmarshalStrict([]byte(`metadata: {name: checked}
spec:
  pipelineRef: {name: checked}
  taskRunTemplate: {serviceAccountName: `+account+`, podTemplate: {securityContext: {fsGroup: 65532}}}
  params: [{name: url, value: "`+r.url+`"}, {name: revision, value: checked}]
  workspaces: [{name: source, volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Mi}}}}}]
`), &run))
	made, err := l.tekton.TektonV1().PipelineRuns(l.name).Create(l.ctx, &run, metav1.CreateOptions{})
	l.must(err)
	l.endsWell(made, 3*soon)
	if env := l.reaches("shop-check", v1alpha1.PhaseReady, 1); env.Spec.Run == nil || env.Spec.Run.Source != commit {
		l.Errorf("the environment's run is %+v, want one of commit %s", env.Spec.Run, commit)
	}
}

// The log of a deploy that fails tells why.
func TestTheLogOfADeployTellsWhyItFails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.installCatalog()
	web := l.service("web", "page")
	web.Image = l.image("busybox:none")
	l.create(page(), product("shop", group("frontend", web)))
	run := l.start("{name: deploy-env}", "environment: one, product: shop, class: "+l.name, "task")
	log, _ := l.follows(run, "[deploy-env : deploy]", "environment "+l.name+"/one")
	for _, part := range []string{"ImageNotPullable", "busybox:none"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log does not tell %s:\n%s", part, log)
		}
	}
}

// makeCatalog pushes all Tasks and Pipelines as a person would, and returns what it says.
func (l *lab) makeCatalog(registry, path string) string {
	l.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "ko.yaml"))
	l.must(err)
	config := filepath.Join(l.TempDir(), ".ko.yaml")
	l.must(os.WriteFile(config, []byte(strings.ReplaceAll(string(raw), "localhost:5000/", registry+"/")), 0o600))
	out, err := l.tool("", "make", "--no-print-directory", "catalog", "BUNDLES="+registry+"/"+path, "KO_CONFIG_PATH="+config,
		"KO_DOCKER_REPO="+registry+"/spock", "KO_DEFAULTBASEIMAGE="+registry+"/static:nonroot")
	l.must(err)
	return out
}

// bundled is a reference to what lies in a bundle, with params and kind for start.
func bundled(repository, kind, name, params string) (string, string, string) {
	repository = strings.Replace(repository, "/../", "/", 1)
	return "{resolver: bundles, params: [{name: bundle, value: \"" + repository + "/" + kind + "-" + name + ":0.1.0\"}, {name: name, value: " + name + "}, {name: kind, value: " + kind + "}]}", params, kind
}

func fromGit(url, kind, path, params string) (string, string, string) {
	return "{resolver: git, params: [{name: url, value: \"" + url + "\"}, {name: revision, value: main}, {name: pathInRepo, value: " + path + "}]}", params, kind
}

// start runs a Pipeline, or a Task as the one task deploy-env of a Pipeline.
func (l *lab) start(reference, params, kind string) *tektonv1.PipelineRun {
	l.Helper()
	var list []string
	for _, p := range strings.Split(params, ", ") {
		name, value, _ := strings.Cut(p, ": ")
		list = append(list, "{name: "+name+", value: "+value+"}")
	}
	given := "[" + strings.Join(list, ", ") + "]"
	spec := "pipelineRef: " + reference + "\n  params: " + given
	if kind == "task" {
		spec = "pipelineSpec: {tasks: [{name: deploy-env, taskRef: " + reference + ", params: " + given + "}]}"
	}
	var run tektonv1.PipelineRun
	l.must(yaml.UnmarshalStrict([]byte("metadata: {generateName: run-}\nspec:\n  taskRunTemplate: {serviceAccountName: "+account+"}\n  "+spec), &run))
	made, err := l.tekton.TektonV1().PipelineRuns(l.name).Create(l.ctx, &run, metav1.CreateOptions{})
	l.must(err)
	return made
}

// follows reads the log of a run with tkn until it ends, and says whether the first progress was
// there while the run was under way.
func (l *lab) follows(run *tektonv1.PipelineRun, prefix, first string) (log string, early bool) {
	l.Helper()
	await(l, ref{pipelineRuns, l.name, run.Name}, 2*soon, "its task has begun", func(run *tektonv1.PipelineRun) bool { return run != nil && len(run.Status.ChildReferences) > 0 })
	tkn := "tkn"
	if own := filepath.Join(l.settings["BIN"], "tkn"); isProgram(own) {
		tkn = own
	}
	cmd := exec.CommandContext(l.ctx, tkn, "pipelinerun", "logs", "-f", "-n", l.name, run.Name)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	out, err := cmd.StdoutPipe()
	l.must(err)
	l.must(cmd.Start())
	var all strings.Builder
	seen := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if seen || !strings.Contains(lines.Text(), first) {
			continue
		}
		seen = true
		if !strings.HasPrefix(lines.Text(), prefix) {
			l.Errorf("the line %q does not begin with %s", lines.Text(), prefix)
		}
		now, err := l.tekton.TektonV1().PipelineRuns(l.name).Get(l.ctx, run.Name, metav1.GetOptions{})
		l.must(err)
		early = !now.IsDone()
	}
	_ = cmd.Wait() // it fails with the run
	if !seen {
		l.Errorf("the log does not tell %q:\n%s", first, all.String())
	}
	return all.String(), early
}
