package render_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/unit"
)

// What an instance is made of may depend on the environment; so may the port it hands over.
func TestAnInstanceIsMadeOfAnArchiveAndAPackage(t *testing.T) {
	t.Parallel()
	in := mixed(t)
	in.Hosts[0].Packages, in.Hosts[1].Packages = true, true
	host := in.Templates["agent"].Spec.Host
	host.Archive = &v1alpha1.HostArchive{URL: "https://example.com/${environment.name}.tgz", SHA256: digits, Strip: 1, SecretRef: &v1alpha1.SecretReference{Name: "store"}}
	host.Package = &v1alpha1.HostPackage{Install: []string{"apt-get", "install", "-y", "${service.name}"}, Remove: []string{"apt-get", "remove", "-y", "jq"}}
	host.Handover = true
	in.Templates["agent"].Spec.Ports = []v1alpha1.Port{{Name: "http", Port: 8080}, {Name: "dns", Port: 53, Protocol: "UDP"}}
	in.Templates["postgres"].Spec.Host.Insecure = true
	in.Templates["postgres"].Spec.Host.SecretRef = &v1alpha1.SecretReference{Name: "registry"}
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]unit.Instance{}
	for _, s := range out.Services {
		if s.Workloads[0].GetKind() != "HostService" {
			continue
		}
		raw, err := json.Marshal(s.Workloads[0].Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		var i unit.Instance
		if err := json.Unmarshal(raw, &i); err != nil {
			t.Fatal(err)
		}
		made[s.Name] = i
	}
	agent := made["agent"]
	got := unit.Instance{Archive: agent.Archive, Package: agent.Package, WorkDir: agent.WorkDir, Sockets: agent.Sockets, ImageSecret: made["db"].ImageSecret, Insecure: made["db"].Insecure}
	want := unit.Instance{
		Archive: &unit.Archive{URL: "https://example.com/blue.tgz", SHA256: digits, Strip: 1, Secret: "store"},
		Package: &unit.Package{Install: []string{"apt-get", "install", "-y", "agent"}, Remove: []string{"apt-get", "remove", "-y", "jq"}},
		WorkDir: "/app", Sockets: []unit.Socket{{Port: 8080}, {Port: 53, Datagram: true}}, ImageSecret: "registry", Insecure: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("instance (-want +got):\n%s", diff)
	}
}
