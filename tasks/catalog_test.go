package tasks

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"sigs.k8s.io/yaml"
)

// What follows is what a catalog's linter checks, without a network, and what it does not:
// params that are used nowhere, results that no step can write, digests, short scripts.

var (
	semantic = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
	platform = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	used     = regexp.MustCompile(`\$\((params|workspaces|results)\.([A-Za-z0-9_-]+)`)
	shebang  = regexp.MustCompile(`^#!/usr/bin/env [a-z0-9]+\n`)
	place    = regexp.MustCompile(`(^|/)(task|pipeline|stepaction)s?/([a-z0-9-]+)/([a-z0-9-]+)\.yaml$`)
)

// mostScript is the number of lines beyond which a script is a program.
const mostScript = 10

// violations of the conventions by a Task at a path. Catalogs name the folder of a kind in
// the singular, this repository in the plural: both are places, others are not.
func violations(path, kind string, task v1.Task) (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if at := place.FindStringSubmatch(filepath.ToSlash(path)); at == nil || at[2] != kind || at[3] != at[4] || at[3] != task.Name {
		say("%s is no place of %s; write %s/%s/%s.yaml, or %ss", path, task.Name, kind, task.Name, task.Name, kind)
	}
	if got := task.Labels["app.kubernetes.io/version"]; !semantic.MatchString(got) {
		say("version %q is not MAJOR.MINOR.PATCH", got)
	}
	if got := task.Annotations["tekton.dev/pipelines.minVersion"]; !semantic.MatchString(got) {
		say("the least version of Tekton %q is not MAJOR.MINOR.PATCH", got)
	}
	for _, one := range strings.Split(task.Annotations["tekton.dev/platforms"], ",") {
		if !platform.MatchString(one) {
			say("platform %q is not os/architecture", one)
		}
	}
	text, err := yaml.Marshal(task.Spec)
	if err != nil {
		say("write the spec: %v", err)
	}
	found = append(found, unknownNames(task, string(text))...)
	for _, s := range task.Spec.Steps {
		found = append(found, stepViolations(chosen(s, task.Spec.Params))...)
	}
	return found
}

// unknownNames are declared and not used, or used and not declared.
func unknownNames(task v1.Task, text string) (found []string) {
	declared := map[string]bool{}
	for _, p := range task.Spec.Params {
		declared["params."+p.Name] = false
	}
	for _, w := range task.Spec.Workspaces {
		declared["workspaces."+w.Name] = false
	}
	for _, r := range task.Spec.Results {
		declared["results."+r.Name] = true // a program may write it by its name
	}
	for _, name := range used.FindAllStringSubmatch(text, -1) {
		key := name[1] + "." + name[2]
		if _, ok := declared[key]; !ok {
			found = append(found, key+" is used and not declared")
		}
		declared[key] = true
	}
	for _, p := range task.Spec.Params {
		if !declared["params."+p.Name] {
			found = append(found, "param "+p.Name+" is used nowhere")
		}
	}
	for _, w := range task.Spec.Workspaces {
		if !declared["workspaces."+w.Name] {
			found = append(found, "workspace "+w.Name+" is used nowhere")
		}
	}
	return found
}

// chosen puts for an image that is a param the one that runs when nobody chooses another.
func chosen(s v1.Step, params v1.ParamSpecs) v1.Step {
	for _, p := range params {
		if s.Image == "$(params."+p.Name+")" && p.Default != nil {
			s.Image = p.Default.StringVal
		}
	}
	return s
}

func stepViolations(s v1.Step) (found []string) {
	say := func(format string, args ...any) {
		found = append(found, "step "+s.Name+": "+fmt.Sprintf(format, args...))
	}
	image, digest, pinned := strings.Cut(s.Image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, tagged := strings.Cut(name, ":")
	switch {
	case strings.HasPrefix(s.Image, "ko://"):
	case strings.Contains(s.Image, "$("):
		say("the image is a variable; nobody can say what runs")
	case !strings.Contains(image, "/"):
		say("image %s names no registry", s.Image)
	case !tagged || tag == "latest":
		say("image %s has no tag that stays", s.Image)
	case pinned && !strings.HasPrefix(digest, "sha256:"):
		say("image %s has no sha256 digest", s.Image)
	}
	for _, e := range s.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			say("variable %s holds a secret; take it from a workspace", e.Name)
		}
	}
	if s.Script == "" {
		return found
	}
	if !shebang.MatchString(s.Script) {
		say("the script does not begin with #!/usr/bin/env")
	}
	if strings.Count(strings.TrimSpace(s.Script), "\n") > mostScript {
		say("the script is a program; write one, with tests")
	}
	return found
}

func TestTasksKeepTheConventions(t *testing.T) {
	t.Parallel()
	for _, e := range entries(t, "*/*.yaml") {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var task v1.Task
			decode(t, e.path, &task)
			for _, problem := range violations(filepath.Join("tasks", e.path), "task", task) {
				t.Error(problem)
			}
		})
	}
}

const kept = `
metadata:
  name: x
  labels: {app.kubernetes.io/version: "1.2.3"}
  annotations: {tekton.dev/pipelines.minVersion: "1.0.0", tekton.dev/platforms: "linux/amd64,linux/arm64"}
spec:
  params: [{name: p, type: string}]
  workspaces: [{name: w}]
  results: [{name: r}]
  steps:
    - name: s
      image: registry.example.com/x:1.2@sha256:01
      env: [{name: P, value: $(params.p)}, {name: W, value: $(workspaces.w.path)}]
      script: |
        #!/usr/bin/env sh
        x > $(results.r.path)
`

func TestTheLintFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ path, from, to, want string }{
		"nothing":                    {"tasks/x/x.yaml", "", "", ""},
		"nothing, in the singular":   {"/somewhere/task/x/x.yaml", "", "", ""},
		"another folder":             {"tasks/y/x.yaml", "", "", "tasks/y/x.yaml is no place of x; write task/x/x.yaml, or tasks"},
		"the folder of another kind": {"stepaction/x/x.yaml", "", "", "stepaction/x/x.yaml is no place of x; write task/x/x.yaml, or tasks"},
		"a folder per version":       {"task/x/0.1/x.yaml", "", "", "task/x/0.1/x.yaml is no place of x; write task/x/x.yaml, or tasks"},
		"half a version":             {"tasks/x/x.yaml", `"1.2.3"`, `"1.2"`, `version "1.2" is not MAJOR.MINOR.PATCH`},
		"no least version":           {"tasks/x/x.yaml", `"1.0.0"`, `""`, `the least version of Tekton "" is not MAJOR.MINOR.PATCH`},
		"a platform with a variant":  {"tasks/x/x.yaml", "linux/arm64", "linux/arm/v7", `platform "linux/arm/v7" is not os/architecture`},
		"a platform with a blank":    {"tasks/x/x.yaml", ",linux/arm64", ", linux/arm64", `platform " linux/arm64" is not os/architecture`},
		"a param that is not used":   {"tasks/x/x.yaml", "$(params.p)", "x", "param p is used nowhere"},
		"a param that is not there":  {"tasks/x/x.yaml", "value: $(params.p)", `value: "$(params.p)$(params.q)"`, "params.q is used and not declared"},
		"a workspace that is unused": {"tasks/x/x.yaml", "$(workspaces.w.path)", "x", "workspace w is used nowhere"},
		"a result that is not there": {"tasks/x/x.yaml", "results.r.path", "results.q.path", "results.q is used and not declared"},
		"a floating image":           {"tasks/x/x.yaml", "x:1.2@sha256:01", "x:latest", "step s: image registry.example.com/x:latest has no tag that stays"},
		"an image without tag":       {"tasks/x/x.yaml", "x:1.2@sha256:01", "x@sha256:01", "step s: image registry.example.com/x@sha256:01 has no tag that stays"},
		"an image of no registry":    {"tasks/x/x.yaml", "registry.example.com/x:1.2@sha256:01", "x:1.2", "step s: image x:1.2 names no registry"},
		"an image that is a param":   {"tasks/x/x.yaml", "registry.example.com/x:1.2@sha256:01", "$(params.p)", "step s: the image is a variable; nobody can say what runs"},
		"a secret as variable":       {"tasks/x/x.yaml", "value: $(params.p)}", "value: $(params.p)}, {name: T, valueFrom: {secretKeyRef: {name: a, key: b}}}", "step s: variable T holds a secret; take it from a workspace"},
		"a short script":             {"tasks/x/x.yaml", "#!/usr/bin/env sh", "#!", "step s: the script does not begin with #!/usr/bin/env"},
		"a long script":              {"tasks/x/x.yaml", "#!/usr/bin/env sh", "#!/usr/bin/env sh" + strings.Repeat("\n        y", mostScript), "step s: the script is a program; write one, with tests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := kept
			if tt.from != "" {
				if text = strings.Replace(kept, tt.from, tt.to, 1); text == kept {
					t.Fatalf("there is no %s to change", tt.from)
				}
			}
			var task v1.Task
			if err := yaml.UnmarshalStrict([]byte(text), &task); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(violations(tt.path, "task", task), "; ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnImageThatMayBeChosen is judged as the one that runs until one is.
func TestAnImageThatMayBeChosen(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"registry.example.com/y:1.2": "", "ko://a/b": "", "busybox": "step s: image busybox names no registry", "$(params.q)": "step s: the image is a variable; nobody can say what runs",
	} {
		text := strings.Replace(strings.Replace(kept, "type: string}", "type: string, default: "+image+"}", 1), "registry.example.com/x:1.2@sha256:01", "$(params.p)", 1)
		var task v1.Task
		if err := yaml.UnmarshalStrict([]byte(text), &task); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(stepViolations(chosen(task.Spec.Steps[0], task.Spec.Params)), "; ")
		if got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
}
