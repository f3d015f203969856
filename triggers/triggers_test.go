// Package triggers checks the doors for events without a cluster: that they are read
// strictly, that what they make is what Tekton takes, and that they have one right alone.
package triggers

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
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/teller"
	"spock.dev/spock/pkg/trigger"
)

var sources = []string{"github", "jira"}

func file(t *testing.T, path ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheDoorMayOnlyMakeRuns(t *testing.T) {
	t.Parallel()
	for _, source := range sources {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			var granted []rbacv1.PolicyRule
			var kinds []string
			for _, object := range objects(t, file(t, source, source+".yaml")) {
				kinds = append(kinds, object.GetObjectKind().GroupVersionKind().Kind)
				switch o := object.(type) {
				case *rbacv1.Role:
					granted = append(granted, o.Rules...)
				case *appsv1.Deployment:
					unprivileged(t, o.Spec.Template.Spec)
				}
			}
			want := []rbacv1.PolicyRule{{APIGroups: []string{"tekton.dev"}, Resources: []string{"pipelineruns"}, Verbs: []string{"create"}}}
			if diff := cmp.Diff(want, granted); diff != "" {
				t.Errorf("rights (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"ServiceAccount", "Role", "RoleBinding", "Service", "Deployment"}, kinds); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheTellerMayWatchRunsAndKeepWhatWasTold(t *testing.T) {
	t.Parallel()
	var granted []rbacv1.PolicyRule
	for _, object := range objects(t, file(t, "status", "status.yaml")) {
		switch o := object.(type) {
		case *rbacv1.Role:
			granted = append(granted, o.Rules...)
		case *appsv1.Deployment:
			unprivileged(t, o.Spec.Template.Spec)
			if *o.Spec.Replicas != 1 || o.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
				t.Errorf("there can be two: %+v", o.Spec.Strategy)
			}
		}
	}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{"tekton.dev"}, Resources: []string{"pipelineruns", "taskruns", "customruns"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{"tekton.dev"}, Resources: []string{"pipelineruns"}, Verbs: []string{"patch"}},
	}
	if diff := cmp.Diff(want, granted); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
	_, page, _ := strings.Cut(string(file(t, "..", "docs", "triggers.md")), "## Tell how every run went\n")
	_, page, _ = strings.Cut(page, "```yaml\n")
	page, _, _ = strings.Cut(page, "```")
	for where, config := range map[string][]byte{"the config": file(t, "status", "config", "status.yaml"), "the page": []byte(page)} {
		if c, err := teller.ParseConfig(config); err != nil || c.GitHub == nil || c.Jira == nil {
			t.Errorf("%s: %+v, %v", where, c, err)
		}
	}
}

func TestTheRunsMayWriteEnvironmentsAndCancelRuns(t *testing.T) {
	t.Parallel()
	var granted []rbacv1.PolicyRule
	for _, object := range objects(t, file(t, "account.yaml")) {
		switch o := object.(type) {
		case *corev1.ServiceAccount:
			if o.Name != "pipeline" {
				t.Errorf("the templates name the account pipeline, this is %s", o.Name)
			}
		case *rbacv1.Role:
			granted = append(granted, o.Rules...)
		}
	}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{"spock.dev"}, Resources: []string{"environments"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
		{APIGroups: []string{"spock.dev"}, Resources: []string{"environmentruns"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"tekton.dev"}, Resources: []string{"pipelineruns"}, Verbs: []string{"get", "list", "watch", "patch"}},
	}
	if diff := cmp.Diff(want, granted); diff != "" {
		t.Errorf("the rights that environments are written and taken away with, and runs cancelled (-want +got):\n%s", diff)
	}
}

func objects(t *testing.T, raw []byte) (all []runtime.Object) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
}

func unprivileged(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	if c := pod.SecurityContext; c == nil || c.RunAsNonRoot == nil || !*c.RunAsNonRoot || c.SeccompProfile == nil {
		t.Errorf("the pod is more than it need be: %+v", c)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
			t.Errorf("container %s is more than it need be: %+v", c.Name, s)
		}
		if c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("container %s has no requests or limits", c.Name)
		}
	}
}

// Every template makes a run that Tekton takes, and that gives its Pipeline what it has.
func TestTemplatesMakeRuns(t *testing.T) {
	t.Parallel()
	for _, source := range sources {
		config, err := trigger.ParseConfig(file(t, source, "config", "config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if string(config.Source) != source {
			t.Errorf("%s: the source is %s", source, config.Source)
		}
		templates, err := filepath.Glob(filepath.Join(source, "config", "*.yaml"))
		if err != nil || len(templates) < 3 {
			t.Fatalf("templates %v, %v", templates, err)
		}
		for _, path := range templates {
			action := trigger.Action(strings.TrimSuffix(filepath.Base(path), ".yaml"))
			if action == "config" {
				continue
			}
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				if !slices.Contains(trigger.Actions(), action) {
					t.Errorf("there is no action %s", action)
				}
				made(t, file(t, path), action)
			})
		}
	}
}

func made(t *testing.T, raw []byte, action trigger.Action) {
	t.Helper()
	template, err := trigger.ParseTemplate(raw)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, name := range trigger.Names() {
		values[name] = "x1"
	}
	text, err := yaml.Marshal(template.Run(trigger.Decision{Action: action, Name: "event-1", Values: values}, "team-a", "").Object)
	if err != nil {
		t.Fatal(err)
	}
	var run v1.PipelineRun
	if err := yaml.UnmarshalStrict(text, &run); err != nil {
		t.Fatal(err)
	}
	run.SetDefaults(context.Background())
	if err := run.Validate(context.Background()); err != nil {
		t.Errorf("Tekton refuses it: %v", err)
	}
	if strings.Contains(string(text), "$(event.") {
		t.Errorf("a value is left open:\n%s", text)
	}
	if run.Spec.PipelineRef != nil {
		fits(t, run)
	}
}

func fits(t *testing.T, run v1.PipelineRun) {
	t.Helper()
	name := run.Spec.PipelineRef.Name
	var pipeline v1.Pipeline
	if err := yaml.UnmarshalStrict(file(t, "..", "pipelines", name, name+".yaml"), &pipeline); err != nil {
		t.Fatal(err)
	}
	given := map[string]v1.ParamType{}
	for _, p := range run.Spec.Params {
		given[p.Name] = p.Value.Type
	}
	for _, p := range pipeline.Spec.Params {
		if kind, ok := given[p.Name]; ok && kind != p.Type || !ok && p.Default == nil {
			t.Errorf("param %s of %s is a %s, given is %q", p.Name, name, p.Type, kind)
		}
		delete(given, p.Name)
	}
	for extra := range given {
		t.Errorf("%s has no param %s", name, extra)
	}
}

var blocks = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestThePageShowsConfigsThatAreRead(t *testing.T) {
	t.Parallel()
	page := string(file(t, "..", "docs", "triggers.md"))
	configs := 0
	for _, block := range blocks.FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(block[1], "source:") {
			continue
		}
		configs++
		if _, err := trigger.ParseConfig([]byte(block[1])); err != nil {
			t.Errorf("%v:\n%s", err, block[1])
		}
	}
	if configs != len(sources) {
		t.Errorf("%d configs", configs)
	}
	for _, name := range trigger.Names() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("the value %s is not told", name)
		}
	}
	for _, source := range sources {
		for _, command := range []string{"kubectl create configmap spock-events-" + source, "triggers/" + source + "/" + source + ".yaml"} {
			if source == "github" && !strings.Contains(page, command) {
				t.Errorf("the page does not tell %s", command)
			}
		}
	}
}
