package spock

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/bench/manifest"
)

// Host is a machine as somebody who adds it knows it.
type Host struct {
	Name, Address string
	// Key is the machine's own, as in known_hosts, Login the private key that its user deploy accepts.
	Key   string
	Login []byte
}

// ports of services on machines: two that have one never share a machine, so that so many
// times the machines is how many services there is room for.
const ports = 10

// machineTemplate is the template of the services on machines, one after the other.
func machineTemplate(i int) string { return fmt.Sprintf("machine-%d", i%ports) }

// machineTemplates are alike but for their port. The program is ready after its time, says
// so itself, and does nothing else: Perl is part of every Debian.
func machineTemplates() string {
	text := ""
	for i := range ports {
		text += fmt.Sprintf(`---
apiVersion: spock.dev/v1alpha1
kind: ServiceTemplate
metadata: {name: %s, namespace: %s}
spec:
  parameters: [{name: ready, type: integer}, {name: revision, type: integer}]
  ports: [{name: http, port: %d}]
  files: [{path: /etc/app/app.yaml, content: "name: ${service.name}\n"}]
  host:
    notify: true
    exec:
      - /usr/bin/perl
      - -MIO::Socket::UNIX
      - -e
      - select(undef, undef, undef, $ARGV[0] / 1000); IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET})->send("READY=1"); sleep
    args: ["${params.ready}", "${params.revision}"]
`, machineTemplate(i), Team, 8080+i)
	}
	return text
}

// hostManifests are what "spock host add" makes.
func hostManifests(h Host) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: %[1]s-ssh, namespace: %[2]s}
type: kubernetes.io/ssh-auth
data: {ssh-privatekey: %[5]s}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: spock-hosts, namespace: %[2]s}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: %[1]s-ssh, namespace: %[2]s}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [%[1]s-ssh], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %[1]s-ssh, namespace: %[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s-ssh}
subjects: [{kind: ServiceAccount, name: spock-hosts, namespace: %[2]s}]
---
apiVersion: spock.dev/v1alpha1
kind: Host
metadata: {name: %[1]s, namespace: %[2]s}
spec: {address: %[3]s, hostKey: %[4]s, user: deploy, credentials: {secretName: %[1]s-ssh}}
`, h.Name, Team, h.Address, h.Key, base64.StdEncoding.EncodeToString(h.Login))
}

// AddHosts makes machines Hosts of the team and waits until Spock has logged in to all.
func (s *Spock) AddHosts(ctx context.Context, hosts ...Host) error {
	text := machineTemplates()
	for _, h := range hosts {
		text += "---" + hostManifests(h)
	}
	all, err := manifest.Read(text)
	if err != nil {
		return err
	}
	if err := s.Apply(ctx, all...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, h := range hosts {
		if err := s.reached(ctx, h.Name); err != nil {
			return fmt.Errorf("wait for host %s: %w", h.Name, err)
		}
	}
	return nil
}

// RemoveHosts takes them away again, with what they need.
func (s *Spock) RemoveHosts(ctx context.Context, hosts ...Host) error {
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	for _, h := range hosts {
		err := errors.Join(s.client.Resource(hostResource).Namespace(Team).Delete(ctx, h.Name, metav1.DeleteOptions{}),
			s.client.Resource(secrets).Namespace(Team).Delete(ctx, h.Name+"-ssh", metav1.DeleteOptions{}))
		if err != nil {
			return fmt.Errorf("remove host %s: %w", h.Name, err)
		}
	}
	return nil
}

var hostResource = schema.GroupVersionResource{Group: "spock.dev", Version: "v1alpha1", Resource: "hosts"}

// reached waits until a Host is ready.
func (s *Spock) reached(ctx context.Context, name string) error {
	events, err := s.client.Resource(hostResource).Namespace(Team).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return err
	}
	defer events.Stop()
	last := errors.New("it has no status")
	for event := range events.ResultChan() {
		o, is := event.Object.(*unstructured.Unstructured)
		if !is {
			continue
		}
		conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, c := range conditions {
			if c, is := c.(map[string]any); is && c["type"] == "Ready" {
				if c["status"] == "True" {
					return nil
				}
				last = fmt.Errorf("it is not ready: %v", c["message"])
			}
		}
	}
	return errors.Join(ctx.Err(), last)
}
