package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/manifest"
)

// controllers are the Deployments of Tekton that run, and their programs. Those of Triggers
// and of the resolvers do not.
var controllers = []struct{ deployment, program string }{
	{"tekton-pipelines-webhook", "webhook"},
	{"tekton-pipelines-controller", "controller"},
}

// tekton applies the manifests of the local cluster as far as they are Pipelines', and runs
// its controllers as processes.
func (v *server) tekton(ctx context.Context) error {
	objects, err := manifest.ReadFiles(filepath.Join(v.programs["TEKTON_MANIFESTS"], "1-*.yaml"), filepath.Join(v.programs["TEKTON_MANIFESTS"], "2-*.yaml"))
	if err != nil {
		return err
	}
	ports, err := bed.FreePorts(1)
	if err != nil {
		return err
	}
	deployments := map[string]*unstructured.Unstructured{}
	for _, o := range objects {
		switch {
		case o.GetLabels()["app.kubernetes.io/part-of"] == "tekton-triggers":
			continue
		case o.GetKind() == "Deployment":
			deployments[o.GetName()] = o
			continue
		}
		if err := redirect(o, int64(ports[0])); err != nil {
			return err
		}
		if err := v.objects.Apply(ctx, o); err != nil {
			return err
		}
	}
	for _, c := range controllers {
		if deployments[c.deployment] == nil {
			return fmt.Errorf("there is no deployment %s among Tekton's manifests", c.deployment)
		}
		if err := v.controller(ctx, deployments[c.deployment], filepath.Join(v.programs["TEKTON"], c.program), ports[0]); err != nil {
			return err
		}
	}
	return v.webhookServes(ctx)
}

// webhook is what Tekton calls the Service of its webhook.
const webhook = "tekton-pipelines-webhook"

// redirect brings the calls of Tekton's webhook to the process on loopback: no proxy
// brings an address of a Service anywhere.
func redirect(o *unstructured.Unstructured, port int64) error {
	switch o.GetKind() {
	case "Service":
		if o.GetName() == webhook {
			return unstructured.SetNestedMap(o.Object, map[string]any{"type": "ExternalName", "externalName": "127.0.0.1"}, "spec")
		}
	case "CustomResourceDefinition":
		if _, is, _ := unstructured.NestedMap(o.Object, "spec", "conversion", "webhook", "clientConfig", "service"); is {
			return unstructured.SetNestedField(o.Object, port, "spec", "conversion", "webhook", "clientConfig", "service", "port")
		}
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		all, _, err := unstructured.NestedSlice(o.Object, "webhooks")
		if err != nil {
			return fmt.Errorf("read %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		for _, w := range all {
			if err := unstructured.SetNestedField(w.(map[string]any), port, "clientConfig", "service", "port"); err != nil {
				return fmt.Errorf("change %s %s: %w", o.GetKind(), o.GetName(), err)
			}
		}
		return unstructured.SetNestedSlice(o.Object, all, "webhooks")
	}
	return nil
}

// controller runs one of Tekton's controllers; one that ends is started again.
func (v *server) controller(ctx context.Context, deployment *unstructured.Unstructured, program string, webhookPort int) error {
	var process *bed.Process
	start := func() (err error) {
		ports, err := bed.FreePorts(3)
		if err != nil {
			return err
		}
		env := append(bed.KnativePorts(ports[0], ports[1]), fmt.Sprintf("PROBES_PORT=%d", ports[2]), fmt.Sprintf("WEBHOOK_PORT=%d", webhookPort))
		process, err = v.bed.RunDeployment(ctx, deployment, program, env...)
		return err
	}
	if err := start(); err != nil {
		return err
	}
	go keep(ctx, deployment.GetName(), func() <-chan struct{} { return process.Done() }, start)
	return nil
}

// webhookServes waits until Tekton takes a Task, and refuses one without steps.
func (v *server) webhookServes(ctx context.Context) error {
	tasks, err := manifest.Read(goodTask + "---\n" + badTask)
	if err != nil {
		return err
	}
	good, bad := tasks[0], tasks[1]
	var last error
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		if last = v.objects.Try(ctx, good); last != nil {
			return false, nil
		}
		if refusal := v.objects.Try(ctx, bad); refusal == nil || !strings.Contains(refusal.Error(), "webhook") {
			last = fmt.Errorf("a Task without steps is not refused: %w", refusal)
			return false, nil
		}
		return true, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("wait for Tekton's webhook, which says: %w", last)
	}
	return err
}

const (
	goodTask = `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: good, namespace: default}
spec: {steps: [{name: nothing, image: nothing, command: [nothing]}]}
`
	badTask = `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: bad, namespace: default}
spec: {steps: []}
`
)
