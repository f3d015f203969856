//go:build e2e

// Package crd_test asks a real API server, the one of KUBECONFIG, what it makes of good
// and bad objects of Spock's kinds: the rules of the CRDs are evaluated nowhere else.
package crd_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// cluster is a namespace of its own in the cluster under test.
type cluster struct {
	client    dynamic.Interface
	namespace string
}

func connect(t *testing.T) cluster {
	t.Helper()
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		t.Skip("KUBECONFIG is not set: there is no cluster to ask")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	made, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spock-crd-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := kube.CoreV1().Namespaces().Delete(ctx, made.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete namespace %s: %v", made.Name, err)
		}
	})
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return cluster{client: client, namespace: made.Name}
}

var resources = map[string]string{
	"ServiceTemplate": "servicetemplates", "Product": "products", "EnvironmentClass": "environmentclasses",
	"Environment": "environments", "EnvironmentRun": "environmentruns", "Host": "hosts",
}

func (c cluster) of(kind string) dynamic.ResourceInterface {
	resource := c.client.Resource(schema.GroupVersionResource{Group: "spock.dev", Version: "v1alpha1", Resource: resources[kind]})
	if kind == "EnvironmentClass" {
		return resource
	}
	return resource.Namespace(c.namespace)
}

// object is an object named it of a kind with the spec given.
func object(t *testing.T, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte("{apiVersion: spock.dev/v1alpha1, kind: " + kind + ", metadata: {name: it}, spec: " + spec + "}"))
	if err != nil {
		t.Fatalf("reading the test's spec: %v\n%s", err, spec)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(content); err != nil {
		t.Fatal(err)
	}
	return obj
}

// checkAnswer wants an error with the words, or none without words.
func checkAnswer(t *testing.T, err error, words string) {
	t.Helper()
	switch {
	case words == "" && err != nil:
		t.Errorf("refused: %v", err)
	case words != "" && err == nil:
		t.Errorf("accepted, want a refusal that says %q", words)
	case words != "" && !strings.Contains(err.Error(), words):
		t.Errorf("refused with\n%v\nwant a refusal that says %q", err, words)
	}
}

func TestCreating(t *testing.T) {
	t.Parallel()
	here := connect(t)
	for name, row := range map[string]struct{ kind, spec, says string }{
		"a template with everything": {kind: "ServiceTemplate", spec: `{
			parameters: [{name: size, type: enum, values: [small, large], default: small}],
			ports: [{name: http, port: 8080}],
			env: [{name: SIZE, value: "${params.size}"}, {name: PASSWORD, secret: {name: db, key: password}}],
			files: [{path: /etc/app/app.yaml, content: "size: ${params.size}"}],
			readiness: {http: {path: /healthz}, minReadySeconds: 1},
			container: {kind: Deployment, volumes: [{name: data, mountPath: /data, size: 1Gi}]}}`},
		"manifests here and elsewhere":     {kind: "ServiceTemplate", spec: `{container: {manifests: [a], manifestsFrom: {configMap: {name: a}}}}`, says: "at most one of manifests, manifestsFrom, kustomize and chart may be set"},
		"manifests from nowhere":           {kind: "ServiceTemplate", spec: `{container: {manifestsFrom: {path: a}}}`, says: "set exactly one of configMap and oci"},
		"a chart without files":            {kind: "ServiceTemplate", spec: `{container: {chart: {values: "a: b"}}}`, says: "set exactly one of files and filesFrom"},
		"a chart from nowhere":             {kind: "ServiceTemplate", spec: `{container: {chart: {filesFrom: {}}}}`, says: "set exactly one of configMap and oci"},
		"an artifact by its digest":        {kind: "ServiceTemplate", spec: `{container: {kustomize: {filesFrom: {oci: {image: "registry.example.com/team/web:1@sha256:0000000000000000000000000000000000000000000000000000000000000000", secretRef: {name: pull}}}}}}`},
		"an artifact by a tag":             {kind: "ServiceTemplate", spec: `{container: {manifestsFrom: {oci: {image: "registry.example.com/team/web:1"}}}}`, says: "name the artifact by its digest, as in registry.example.com/path@sha256:...: what a tag means may change"},
		"an artifact by its scheme":        {kind: "ServiceTemplate", spec: `{container: {manifestsFrom: {oci: {image: "oci://registry.example.com/team/web@sha256:0000000000000000000000000000000000000000000000000000000000000000"}}}}`, says: "name the artifact without oci:// in front"},
		"an artifact and a ConfigMap":      {kind: "ServiceTemplate", spec: `{container: {manifestsFrom: {configMap: {name: a}, oci: {image: "registry.example.com/team/web@sha256:0000000000000000000000000000000000000000000000000000000000000000"}}}}`, says: "set exactly one of configMap and oci"},
		"an enum without values":           {kind: "ServiceTemplate", spec: `{parameters: [{name: size, type: enum}]}`, says: "a parameter of type enum needs values"},
		"a variable with value and secret": {kind: "ServiceTemplate", spec: `{env: [{name: A, value: b, secret: {name: s, key: k}}]}`, says: "set exactly one of value and secret"},
		"a variable with neither":          {kind: "ServiceTemplate", spec: `{env: [{name: A}]}`, says: "set exactly one of value and secret"},
		"two probes":                       {kind: "ServiceTemplate", spec: `{readiness: {http: {}, tcp: {}}}`, says: "set at most one of http, tcp and exec"},
		"a parameter of an unknown type":   {kind: "ServiceTemplate", spec: `{parameters: [{name: size, type: float}]}`, says: `Unsupported value: "float"`},
		"a port twice":                     {kind: "ServiceTemplate", spec: `{ports: [{name: http, port: 1}, {name: http, port: 2}]}`, says: "Duplicate value"},
		"a product of two tiers":           {kind: "Product", spec: `{groups: [{name: data, services: [{name: db, template: postgres}]}, {name: web, services: [{name: shop, template: go, needs: [{service: db}, {group: data, soft: true}], expose: {}}]}]}`},
		"a need for a service and a group": {kind: "Product", spec: `{groups: [{name: web, services: [{name: shop, template: go, needs: [{service: db, group: data}]}]}]}`, says: "set exactly one of service and group"},
		"a need for nothing":               {kind: "Product", spec: `{groups: [{name: web, services: [{name: shop, template: go, needs: [{soft: true}]}]}]}`, says: "set exactly one of service and group"},
		"a need of a start":                {kind: "Product", spec: `{groups: [{name: web, services: [{name: shop, template: go, needs: [{service: db, until: Started}]}]}]}`},
		"a need until nobody knows when":   {kind: "Product", spec: `{groups: [{name: web, services: [{name: shop, template: go, needs: [{service: db, until: Later}]}]}]}`, says: `Unsupported value: "Later"`},
		"an answer to failure nobody has":  {kind: "Environment", spec: `{product: shop, class: dev, onFailure: Panic}`, says: `Unsupported value: "Panic"`},
		"a rollback of a service":          {kind: "Environment", spec: `{product: shop, class: dev, onFailure: Rollback, rollbackScope: Service}`},
		"a rollback of who knows what":     {kind: "EnvironmentClass", spec: `{domain: "localhost", onFailure: Rollback, rollbackScope: Group}`, says: `Unsupported value: "Group"`},
		"a rollback by hand":               {kind: "Environment", spec: `{product: shop, class: dev, run: {rollback: {to: it-1, services: [web]}}}`},
		"a rollback to nothing":            {kind: "Environment", spec: `{product: shop, class: dev, run: {rollback: {services: [web]}}}`, says: "spec.run.rollback.to: Required value"},
		"an answer to drift":               {kind: "EnvironmentClass", spec: `{domain: "localhost", drift: Warn}`},
		"an answer to drift nobody has":    {kind: "Environment", spec: `{product: shop, class: dev, drift: Shrug}`, says: `Unsupported value: "Shrug"`},
		"an order nobody knows":            {kind: "Product", spec: `{order: Random, groups: []}`, says: `Unsupported value: "Random"`},
		"a class with a port":              {kind: "EnvironmentClass", spec: `{domain: "localhost:8080"}`},
		"a class with a URL for a domain":  {kind: "EnvironmentClass", spec: `{domain: "http://localhost"}`, says: "spec.domain in body should match"},
		"an environment":                   {kind: "Environment", spec: `{product: shop, class: dev, services: [{name: web, image: "shop/web:1"}]}`},
		"a host":                           {kind: "Host", spec: `{address: 10.0.0.11, hostKey: "ssh-ed25519 AAAAC3Nz", credentials: {secretName: it}, capacity: {memory: 1Gi, slots: 4}}`},
		"a host without a key":             {kind: "Host", spec: `{address: 10.0.0.11, credentials: {secretName: it}}`, says: "spec.hostKey: Required value"},
		"a host with a key that is none":   {kind: "Host", spec: `{address: 10.0.0.11, hostKey: "trust me", credentials: {secretName: it}}`, says: "spec.hostKey in body should match"},
		"a host with an option for ssh":    {kind: "Host", spec: `{address: "-oProxyCommand=x", hostKey: "ssh-ed25519 AAAAC3Nz", credentials: {secretName: it}}`, says: "spec.address in body should match"},
		"an environment of no class":       {kind: "Environment", spec: `{product: shop}`, says: "spec.class: Required value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := here.of(row.kind).Create(t.Context(), object(t, row.kind, row.spec), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
			checkAnswer(t, err, row.says)
		})
	}
}

func TestChanging(t *testing.T) {
	t.Parallel()
	here := connect(t)
	for name, row := range map[string]struct{ kind, spec, patch, says string }{
		"the class of an environment": {
			kind: "Environment", spec: `{product: shop, class: dev}`, patch: `{"spec":{"class":"staging"}}`,
			says: "the class of an environment cannot change: delete the environment and create it in the other class",
		},
		"a run": {
			kind: "EnvironmentRun", spec: `{environment: shop, environmentUID: u, generation: 1, number: 1, planDigest: d}`, patch: `{"spec":{"number":2}}`,
			says: "an EnvironmentRun is history and cannot change",
		},
		"the order of a product": {
			kind: "Product", spec: `{groups: []}`, patch: `{"spec":{"order":"Needs"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := here.of(row.kind).Create(t.Context(), object(t, row.kind, row.spec), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := here.of(row.kind).Patch(t.Context(), "it", types.MergePatchType, []byte(row.patch), metav1.PatchOptions{})
			checkAnswer(t, err, row.says)
		})
	}
}
