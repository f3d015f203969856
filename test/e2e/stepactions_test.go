//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	"sigs.k8s.io/yaml"
)

// inOnePod takes each StepAction from somewhere else, and hands results from step to step.
const inOnePod = `
metadata: {generateName: one-pod-}
spec:
  serviceAccountName: ACCOUNT
  taskSpec:
    workspaces: [{name: source}]
    results:
      - {name: commit, value: $(steps.clone.results.commit)}
      - {name: coverage, value: $(steps.test.results.coverage)}
      - {name: images, type: array, value: $(steps.build.results.services)}
      - {name: phase, value: $(steps.deploy.results.phase)}
    steps:
      - name: clone
        ref: {resolver: bundles, params: [{name: bundle, value: "BUNDLE"}, {name: name, value: git-clone}, {name: kind, value: stepaction}]}
        params:
          - {name: output-path, value: $(workspaces.source.path)}
          - {name: url, value: "URL"}
          - {name: revision, value: main}
      - name: test
        ref: {resolver: git, params: [{name: url, value: "URL"}, {name: revision, value: catalog}, {name: pathInRepo, value: stepactions/unit-test/unit-test.yaml}]}
        params:
          - {name: source-path, value: $(workspaces.source.path)}
          - {name: packages, value: [./greeting]}
      - name: build
        ref: {name: build}
        params:
          - {name: source-path, value: $(workspaces.source.path)}
          - {name: image, value: "registry.localhost:5000/NAME"}
          - {name: baseImage, value: "registry.localhost:5000/static:nonroot"}
          - {name: sourceCommit, value: $(steps.clone.results.commit)}
      - name: deploy
        ref: {name: deploy-env}
        params:
          - {name: environment, value: one}
          - {name: product, value: shop}
          - {name: class, value: NAME}
          - {name: services, value: ["$(steps.build.results.services[*])"]}
          - {name: source, value: $(steps.clone.results.commit)}
  workspaces: [{name: source, emptyDir: {}}]
`

// A Task of a team's own is made of StepActions: from a bundle, from a repository, from its
// namespace. One pod clones, tests, builds and deploys, without a volume to share.
func TestStepActionsAreStepsOfATeamsOwnTask(t *testing.T) {
	t.Parallel()
	needsNode(t, "steps are containers")
	l := newLab(t)
	registry := l.setting(t, "REGISTRY")
	resolved, err := l.tool("", "demo", "resolve", "stepactions")
	l.must(err)
	_, err = l.tool(resolved, "go", "run", "./hack/catalog", registry+"/spock/"+l.name)
	l.must(err)
	_, err = l.tool(resolved, "kubectl", "apply", "--server-side", "-n", l.name, "-f", "-")
	l.must(err)
	_, err = l.tool("", "kubectl", "apply", "--server-side", "-n", l.name, "-f", "tasks/deploy-env/samples/role.yaml")
	l.must(err)

	r := l.repository()
	unitTest, err := l.tool("", "demo", "resolve", "stepactions/unit-test")
	l.must(err)
	commit := r.commits("the service", greeter("hello"), "refs/heads/main")
	r.commits("the catalog", map[string]string{"stepactions/unit-test/unit-test.yaml": unitTest}, "refs/heads/catalog")
	l.greeterProduct()

	bundle := strings.Replace(l.image("../spock/"+l.name), "/../", "/", 1) + "/stepaction-git-clone:0.1.0"
	text := strings.NewReplacer("ACCOUNT", account, "BUNDLE", bundle, "URL", r.url, "NAME", l.name).Replace(inOnePod)
	var run tektonv1.TaskRun
	l.must(yaml.UnmarshalStrict([]byte(text), &run))
	made, err := l.tekton.TektonV1().TaskRuns(l.name).Create(l.ctx, &run, metav1.CreateOptions{})
	l.must(err)
	done := await(l, ref{taskRuns, l.name, made.Name}, 4*time.Minute, "done", func(run *tektonv1.TaskRun) bool { return run != nil && run.IsDone() })
	if c := done.Status.GetCondition(apis.ConditionSucceeded); !c.IsTrue() {
		logs, _ := l.tool("", "tkn", "taskrun", "logs", "-n", l.name, made.Name)
		l.Fatalf("%s: %s\n%s", c.Reason, c.Message, logs)
	}
	got := map[string]string{}
	for _, result := range done.Status.Results {
		value := result.Value.StringVal
		if result.Name == "images" && len(result.Value.ArrayVal) == 1 {
			value, _, _ = strings.Cut(result.Value.ArrayVal[0], "@sha256:")
		}
		got[result.Name] = value
	}
	want := map[string]string{"commit": commit, "coverage": "100.0", "images": "web=registry.localhost:5000/" + l.name + "/web", "phase": "Ready"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
