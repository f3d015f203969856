// Package tasks checks the Tasks and Pipelines without a cluster: that Tekton itself
// accepts them, and that they keep the rules of this catalog.
package tasks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const (
	version = "0.1.0"
	image   = "ko://spock.dev/spock/cmd/task-runner"
	// builder is the one program that needs another image, and a user namespace.
	builder = "ko://spock.dev/spock/cmd/image-builder"
	// teams is an image that a team may choose.
	teams = "$(params.image)"
)

// categories that Artifact Hub and catlin know.
var categories = regexp.MustCompile(`^(Automation|Build Tools|CLI|Cloud|Code Quality|Continuous Integration|Deployment|Developer Tools|` +
	`Image Build|Integration & Delivery|Git|Kubernetes|Messaging|Monitoring|Networking|Openshift|Publishing|Security|Storage|Testing)$`)

// entry is a folder of the catalog.
type entry struct {
	name, path string
}

func entries(t *testing.T, pattern string) []entry {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var out []entry
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		if filepath.Base(path) == name+".yaml" {
			out = append(out, entry{name: name, path: path})
		}
	}
	if len(out) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	return out
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	for _, e := range entries(t, "*/*.yaml") {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var task v1.Task
			decode(t, e.path, &task)
			metadata(t, e, task.ObjectMeta, task.Spec.Description)
			for _, r := range task.Spec.Results {
				described(t, "result "+r.Name, r.Description)
			}
			for _, w := range task.Spec.Workspaces {
				described(t, "workspace "+w.Name, w.Description)
			}
			params(t, task.Spec.Params)
			own(t, task.Spec)
			for _, s := range task.Spec.Steps {
				step(t, s)
			}
			task.SetDefaults(context.Background())
			if err := task.Validate(context.Background()); err != nil {
				t.Errorf("Tekton refuses it: %v", err)
			}
		})
	}
}

func TestPipelines(t *testing.T) {
	t.Parallel()
	for _, e := range entries(t, "../pipelines/*/*.yaml") {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var pipeline v1.Pipeline
			decode(t, e.path, &pipeline)
			metadata(t, e, pipeline.ObjectMeta, pipeline.Spec.Description)
			for _, r := range pipeline.Spec.Results {
				described(t, "result "+r.Name, r.Description)
			}
			for _, w := range pipeline.Spec.Workspaces {
				described(t, "workspace "+w.Name, w.Description)
			}
			params(t, pipeline.Spec.Params)
			for _, p := range append(pipeline.Spec.Tasks, pipeline.Spec.Finally...) {
				reference(t, p)
			}
			pipeline.SetDefaults(context.Background())
			if err := pipeline.Validate(context.Background()); err != nil {
				t.Errorf("Tekton refuses it: %v", err)
			}
		})
	}
}

func metadata(t *testing.T, e entry, m metav1.ObjectMeta, description string) {
	t.Helper()
	if m.Name != e.name {
		t.Errorf("the name is %q; it is the folder's, %q", m.Name, e.name)
	}
	if got := m.Labels["app.kubernetes.io/version"]; got != version {
		t.Errorf("label app.kubernetes.io/version is %q, want %q", got, version)
	}
	for _, key := range []string{"pipelines.minVersion", "categories", "tags", "displayName", "platforms"} {
		if m.Annotations["tekton.dev/"+key] == "" {
			t.Errorf("annotation tekton.dev/%s is missing", key)
		}
	}
	for _, category := range strings.Split(m.Annotations["tekton.dev/categories"], ",") {
		if !categories.MatchString(strings.TrimSpace(category)) {
			t.Errorf("category %q is not one that catalogs know", category)
		}
	}
	described(t, "the description", description)
}

func described(t *testing.T, what, text string) {
	t.Helper()
	if len(strings.TrimSpace(text)) < 10 {
		t.Errorf("%s is described as %q; write a sentence", what, text)
	}
}

func params(t *testing.T, all v1.ParamSpecs) {
	t.Helper()
	for _, p := range all {
		described(t, "param "+p.Name, p.Description)
		if p.Type == "" {
			t.Errorf("param %s has no type", p.Name)
		}
	}
}

// own checks that an image which a team may choose is this one until it does, and that the
// step brings its program along.
func own(t *testing.T, task v1.TaskSpec) {
	t.Helper()
	for i, s := range task.Steps {
		if s.Image != teams {
			continue
		}
		for _, p := range task.Params {
			if p.Name == "image" && (p.Default == nil || p.Default.StringVal != image) {
				t.Errorf("param image is %v by default, want %s", p.Default, image)
			}
		}
		if i == 0 || !slices.Equal(task.Steps[0].Args, []string{"install", s.Command[0]}) {
			t.Errorf("step %s: its program %v is not installed by the first step", s.Name, s.Command)
		}
	}
}

func step(t *testing.T, s v1.Step) {
	t.Helper()
	if s.Image != image && s.Image != builder && s.Image != teams {
		t.Errorf("step %s: image %q, want %s", s.Name, s.Image, image)
	}
	if strings.Contains(s.Script, "$(params") || strings.Contains(s.Script, "$(tasks") {
		t.Errorf("step %s: a value is put into the script; hand it over as argument or variable", s.Name)
	}
	if len(s.Command) == 0 {
		t.Errorf("step %s: without command Tekton asks the registry for the entrypoint", s.Name)
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if s.ComputeResources.Requests.Name(name, "").IsZero() || s.ComputeResources.Limits.Name(name, "").IsZero() {
			t.Errorf("step %s: requests or limits of %s are missing", s.Name, name)
		}
	}
	secure(t, s)
}

func secure(t *testing.T, s v1.Step) {
	t.Helper()
	c := s.SecurityContext
	if c == nil {
		t.Fatalf("step %s: there is no securityContext", s.Name)
	}
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	if s.Image == builder {
		want := &corev1.SecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532), AllowPrivilegeEscalation: ptr.To(true), ReadOnlyRootFilesystem: ptr.To(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"SETGID", "SETUID"}},
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("step %s may more or less than a user namespace needs (-want +got):\n%s", s.Name, diff)
		}
		return
	}
	switch {
	case !is(c.RunAsNonRoot, true), c.RunAsUser == nil || *c.RunAsUser != 65532,
		!is(c.AllowPrivilegeEscalation, false), !is(c.ReadOnlyRootFilesystem, true),
		c.Capabilities == nil || len(c.Capabilities.Drop) != 1 || c.Capabilities.Drop[0] != "ALL",
		c.SeccompProfile == nil || c.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		t.Errorf("step %s: the securityContext is weaker than that of the other tasks: %+v", s.Name, c)
	}
}

// reference checks that a pipeline and the Task it names fit together; Tekton looks only
// when the pipeline runs.
func reference(t *testing.T, p v1.PipelineTask) {
	t.Helper()
	if p.TaskRef.APIVersion != "" {
		if p.TaskRef.APIVersion != v1alpha1.SchemeGroupVersion.String() {
			t.Errorf("task %s: custom tasks are %s, not %s", p.Name, v1alpha1.SchemeGroupVersion, p.TaskRef.APIVersion)
		}
		return
	}
	var task v1.Task
	decode(t, filepath.Join(p.TaskRef.Name, p.TaskRef.Name+".yaml"), &task)
	known, given := map[string]v1.ParamSpec{}, map[string]bool{}
	for _, param := range task.Spec.Params {
		known[param.Name] = param
	}
	for _, param := range p.Params {
		given[param.Name] = true
		if _, ok := known[param.Name]; !ok {
			t.Errorf("task %s: %s has no param %s", p.Name, task.Name, param.Name)
		}
	}
	for _, param := range task.Spec.Params {
		if param.Default == nil && !given[param.Name] {
			t.Errorf("task %s: %s needs the param %s", p.Name, task.Name, param.Name)
		}
	}
	bound := map[string]bool{}
	isSource := func(w v1.WorkspacePipelineTaskBinding) bool { return w.Workspace == "source" }
	if i := slices.IndexFunc(p.Workspaces, isSource); i >= 0 && i != len(p.Workspaces)-1 {
		t.Errorf("task %s: the workspace source is not the last one; Tekton ties pods to nodes by the last", p.Name)
	}
	for _, w := range p.Workspaces {
		bound[w.Name] = true
	}
	for _, w := range task.Spec.Workspaces {
		if !w.Optional && !bound[w.Name] {
			t.Errorf("task %s: %s needs the workspace %s", p.Name, task.Name, w.Name)
		}
		delete(bound, w.Name)
	}
	for name := range bound {
		t.Errorf("task %s: %s has no workspace %s", p.Name, task.Name, name)
	}
}

// outward are the Tasks that speak to a service which no cluster has. TestOutwardTasks runs
// their samples against doubles.
var outward = []string{"github-status", "jira-update"}

// onward are those that take what something else has made, an environment or a working tree.
// Tests end to end make it and run their samples.
var onward = []string{"test-environment", "release", "fetch-source", "self-test"}

func TestSamplesAndTests(t *testing.T) {
	t.Parallel()
	for _, e := range append(entries(t, "*/*.yaml"), entries(t, "../pipelines/*/*.yaml")...) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			kinds := []string{"samples", "tests"}
			if slices.Contains(outward, e.name) || slices.Contains(onward, e.name) {
				kinds = kinds[:1]
			}
			for _, kind := range kinds {
				files, err := filepath.Glob(filepath.Join(filepath.Dir(e.path), kind, "*.yaml"))
				if err != nil {
					t.Fatal(err)
				}
				if len(files) == 0 {
					t.Errorf("there are no %s", kind)
				}
				for _, file := range files {
					sample(t, file)
				}
			}
		})
	}
}

func sample(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		object(t, path, document)
	}
}

// validated is what Tekton's own types can say about themselves.
type validated interface {
	SetDefaults(context.Context)
}

func object(t *testing.T, path string, document []byte) {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "tekton.dev/v1 TaskRun":
		var run v1.TaskRun
		strict(t, path, document, &run)
		run.SetDefaults(context.Background())
		run.Name = "named-by-the-server"
		if err := run.Validate(context.Background()); err != nil {
			t.Errorf("%s: Tekton refuses it: %v", path, err)
		}
		known(t, path, run.Spec.TaskRef)
		if run.Spec.TaskSpec != nil {
			knownActions(t, path, run.Spec.TaskSpec.Steps)
		}
	case "tekton.dev/v1 PipelineRun":
		var run v1.PipelineRun
		strict(t, path, document, &run)
		run.SetDefaults(context.Background())
		run.Name = "named-by-the-server"
		if err := run.Validate(context.Background()); err != nil {
			t.Errorf("%s: Tekton refuses it: %v", path, err)
		}
	}
}

func strict(t *testing.T, path string, document []byte, into validated) {
	t.Helper()
	if err := yaml.UnmarshalStrict(document, into); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

func known(t *testing.T, path string, ref *v1.TaskRef) {
	t.Helper()
	if ref == nil || ref.Name == "" {
		return
	}
	if _, err := os.Stat(ref.Name); err != nil {
		t.Errorf("%s names the Task %s, which is not here", path, ref.Name)
	}
}
