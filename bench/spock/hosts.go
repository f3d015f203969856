package spock

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/pkg/apis"

	"spock.dev/spock/bench/machines"
	"spock.dev/spock/bench/manifest"
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// login is what `spock host add` makes beside a Host.
const login = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: spock-hosts, namespace: bench}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: spock-hosts, namespace: bench}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: spock-hosts, namespace: bench}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: spock-hosts}
subjects: [{kind: ServiceAccount, name: spock-hosts, namespace: bench}]
`

// AddHosts makes machines Hosts of the team, and waits until all are connected.
func (s *Spock) AddHosts(ctx context.Context, all []*machines.Machine) error {
	objects, err := manifest.Read(login)
	if err != nil {
		return err
	}
	for _, m := range all {
		secret := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": m.Name + "-ssh", "namespace": Team},
			"type": "kubernetes.io/ssh-auth", "stringData": map[string]any{corev1.SSHAuthPrivateKey: string(m.PrivateKey)},
		}}
		objects = append(objects, secret, object("Host", m.Name, map[string]any{
			"address": m.Address, "hostKey": m.HostKey, "user": "deploy", "credentials": map[string]any{"secretName": m.Name + "-ssh"},
		}))
	}
	if err := s.Apply(ctx, objects...); err != nil {
		return err
	}
	return s.connected(ctx, len(all))
}

var hosts = schema.GroupVersionResource{Group: "spock.dev", Version: "v1alpha1", Resource: "hosts"}

func (s *Spock) connected(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	to := s.client.Resource(hosts).Namespace(Team)
	events, err := to.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("watch hosts: %w", err)
	}
	defer events.Stop()
	ready := map[string]bool{}
	for event := range events.ResultChan() {
		o, is := event.Object.(*unstructured.Unstructured)
		var h v1alpha1.Host
		if !is || runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &h) != nil {
			continue
		}
		if c := h.Status.GetCondition(apis.ConditionReady); c != nil && c.IsTrue() {
			ready[h.Name] = true
		}
		if len(ready) == want {
			return nil
		}
	}
	return fmt.Errorf("%d of %d hosts are connected, and no more", len(ready), want)
}
