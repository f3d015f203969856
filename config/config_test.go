// Package config_test keeps the install manifests honest: they are what the cluster
// takes, and they give no more rights than they say.
package config_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/pkg/leaderelection"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/observability"
)

const (
	systemNamespace = "spock-system"
	controller      = "spock-controller"
)

// manifest is one object of the install manifests.
type manifest struct {
	file   string
	object runtime.Object
}

// manifests reads all of them, and refuses what a cluster would refuse: unknown kinds,
// unknown fields, fields given twice.
func manifests(t *testing.T) []manifest {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var all []manifest
	for _, file := range files(t) {
		for _, document := range documents(t, file) {
			object, _, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, manifest{file, object})
		}
	}
	if len(all) < 15 {
		t.Fatalf("found %d objects only: %v", len(all), files(t))
	}
	return all
}

func files(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".yaml" {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func documents(t *testing.T, file string) [][]byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var found [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if strings.TrimSpace(string(document)) != "" {
			found = append(found, document)
		}
	}
}

// rules are the RBAC rules of a manifest; nil for other kinds.
func rules(object runtime.Object) []rbacv1.PolicyRule {
	switch role := object.(type) {
	case *rbacv1.ClusterRole:
		return role.Rules
	case *rbacv1.Role:
		return role.Rules
	default:
		return nil
	}
}

func name(t *testing.T, object runtime.Object) metav1.ObjectMeta {
	t.Helper()
	described, isObject := object.(metav1.ObjectMetaAccessor)
	if !isObject {
		t.Fatalf("%T has no metadata", object)
	}
	return *described.GetObjectMeta().(*metav1.ObjectMeta)
}

func TestEveryObjectIsLabelled(t *testing.T) {
	t.Parallel()
	for _, m := range manifests(t) {
		if _, generated := m.object.(*apiextensionsv1.CustomResourceDefinition); generated {
			continue
		}
		meta := name(t, m.object)
		for _, label := range []string{"name", "component", "part-of", "version"} {
			if meta.Labels["app.kubernetes.io/"+label] == "" {
				t.Errorf("%s: %s lacks the label app.kubernetes.io/%s", m.file, meta.Name, label)
			}
		}
	}
}

func TestNoRoleGivesMoreThanItNames(t *testing.T) {
	t.Parallel()
	for _, m := range manifests(t) {
		for _, rule := range rules(m.object) {
			checkRule(t, m.file+": "+name(t, m.object).Name, rule)
		}
	}
}

func checkRule(t *testing.T, where string, rule rbacv1.PolicyRule) {
	t.Helper()
	has := slices.Contains[[]string]
	for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs} {
		if has(list, "*") {
			t.Errorf("%s: a wildcard in %v", where, rule)
		}
	}
	if has(rule.Resources, "secrets") && (len(rule.Verbs) != 1 || rule.Verbs[0] != "create") {
		t.Errorf("%s: secrets may only be created, not %v", where, rule.Verbs)
	}
	if has(rule.Verbs, "escalate") {
		t.Errorf("%s: escalate in %v", where, rule)
	}
	if has(rule.Verbs, "bind") && len(rule.ResourceNames) == 0 {
		t.Errorf("%s: bind without naming the role in %v", where, rule)
	}
	if has(rule.Verbs, "impersonate") && (len(rule.Resources) != 1 || rule.Resources[0] != "serviceaccounts") {
		t.Errorf("%s: impersonates %v; only service accounts are meant", where, rule.Resources)
	}
}

func TestTheControllerNeverSeesSecretsNorWritesWorkloads(t *testing.T) {
	t.Parallel()
	workloads := map[string]bool{
		"deployments": true, "statefulsets": true, "daemonsets": true, "jobs": true, "cronjobs": true, "pods": true,
		"services": true, "configmaps": true, "persistentvolumeclaims": true, "ingresses": true,
	}
	for _, m := range manifests(t) {
		if !strings.HasPrefix(name(t, m.object).Name, controller) {
			continue
		}
		for _, rule := range rules(m.object) {
			for _, resource := range rule.Resources {
				if resource == "secrets" {
					t.Errorf("%s: the controller has %v on secrets", m.file, rule.Verbs)
				}
				if workloads[resource] {
					checkReads(t, m.file, resource, rule.Verbs)
				}
			}
		}
	}
}

func checkReads(t *testing.T, file, resource string, verbs []string) {
	t.Helper()
	for _, verb := range verbs {
		if verb != "get" && verb != "list" && verb != "watch" {
			t.Errorf("%s: the controller may %s %s; only the Environment's account may", file, verb, resource)
		}
	}
}

func TestBindingsFindTheirRolesAndAccounts(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range manifests(t) {
		known[kindOf(m.object)+"/"+name(t, m.object).Name] = true
	}
	check := func(file string, subjects []rbacv1.Subject, role rbacv1.RoleRef) {
		if !known[role.Kind+"/"+role.Name] {
			t.Errorf("%s: there is no %s %s", file, role.Kind, role.Name)
		}
		for _, subject := range subjects {
			if !known[subject.Kind+"/"+subject.Name] || subject.Namespace != systemNamespace {
				t.Errorf("%s: there is no %s %s/%s", file, subject.Kind, subject.Namespace, subject.Name)
			}
		}
	}
	for _, m := range manifests(t) {
		switch binding := m.object.(type) {
		case *rbacv1.RoleBinding:
			check(m.file, binding.Subjects, binding.RoleRef)
		case *rbacv1.ClusterRoleBinding:
			check(m.file, binding.Subjects, binding.RoleRef)
		}
	}
}

func kindOf(object runtime.Object) string { return object.GetObjectKind().GroupVersionKind().Kind }

func TestTheControllerRunsRestrictedFromAKnownCommand(t *testing.T) {
	t.Parallel()
	for _, m := range manifests(t) {
		deployment, isDeployment := m.object.(*appsv1.Deployment)
		if !isDeployment {
			continue
		}
		pod := deployment.Spec.Template.Spec
		if pod.SecurityContext == nil || !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod is not restricted", m.file)
		}
		for _, c := range pod.Containers {
			if *c.SecurityContext.AllowPrivilegeEscalation || !*c.SecurityContext.ReadOnlyRootFilesystem || c.SecurityContext.Capabilities.Drop[0] != "ALL" {
				t.Errorf("%s: container %s is not restricted", m.file, c.Name)
			}
			command, isKo := strings.CutPrefix(c.Image, "ko://spock.dev/spock/")
			if _, err := os.Stat(filepath.Join("..", command)); !isKo || err != nil {
				t.Errorf("%s: image %s is no command of this module: %v", m.file, c.Image, err)
			}
		}
	}
}

func TestTheConfigurationIsUnderstood(t *testing.T) {
	t.Parallel()
	maps := map[string]*corev1.ConfigMap{}
	for _, m := range manifests(t) {
		if configMap, isConfig := m.object.(*corev1.ConfigMap); isConfig {
			maps[configMap.Name] = configMap
		}
	}
	if _, err := leaderelection.NewConfigFromConfigMap(maps["config-leader-election"]); err != nil {
		t.Errorf("config-leader-election: %v", err)
	}
	config, err := logging.NewConfigFromConfigMap(maps["config-logging"])
	if err != nil {
		t.Fatalf("config-logging: %v", err)
	}
	if _, found := config.LoggingLevel[controller]; !found {
		t.Errorf("config-logging has no level for %s: %v", controller, config.LoggingLevel)
	}
	if logger, _ := logging.NewLoggerFromConfig(config, controller); !logger.Desugar().Core().Enabled(0) {
		t.Error("config-logging does not make a logger that logs at info")
	}
	if _, err := observability.NewFromMap(maps["config-observability"].Data); err != nil {
		t.Errorf("config-observability: %v", err)
	}
}
