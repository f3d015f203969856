//go:build hosts

package host

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// documented is the template of that name in docs/hosts.md.
func documented(t *testing.T, name string) *v1alpha1.ServiceTemplate {
	t.Helper()
	page, err := os.ReadFile("../../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fence.FindAllSubmatch(page, -1) {
		var found v1alpha1.ServiceTemplate
		if err := yaml.Unmarshal(block[1], &found); err != nil {
			t.Fatal(err)
		}
		if found.Name == name {
			return &found
		}
	}
	t.Fatalf("docs/hosts.md shows no template %s", name)
	return nil
}

// packaged is a product of one service, on a machine that lets packages be installed.
func packaged(t *testing.T, b *box, template *v1alpha1.ServiceTemplate) *plan.Plan {
	t.Helper()
	of := metav1.ObjectMeta{Name: "shop", Namespace: "team-a", UID: "uid-1"}
	return planned(t, render.Input{
		Product: &v1alpha1.Product{ObjectMeta: of, Spec: v1alpha1.ProductSpec{Groups: []v1alpha1.Group{
			{Name: "data", Services: []v1alpha1.ProductService{{Name: "cache", Template: template.Name, Target: v1alpha1.TargetHost}}},
		}}},
		Templates:   map[string]*v1alpha1.ServiceTemplate{template.Name: template},
		Class:       &v1alpha1.EnvironmentClass{ObjectMeta: metav1.ObjectMeta{Name: "dev"}},
		Environment: &v1alpha1.Environment{ObjectMeta: of, Spec: v1alpha1.EnvironmentSpec{Product: "shop", Class: "dev"}},
		Namespace:   shop.Namespace, Hosts: []placement.Host{{Name: "db1", Address: b.Address, Packages: true}},
	})
}

// says sends a line to the machine's redis from outside, and returns the first of the answer.
func says(t *testing.T, b *box, line string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(b.Address, "6379"), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "%s\r\n", line)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatalf("redis answers %s with %q: %v", line, answer, err)
	}
	return strings.TrimSpace(answer)
}

// The template that docs/hosts.md shows, as it stands there.
func TestThePackageOfTheDocsIsInstalled(t *testing.T) {
	b := bootWith(t, 256, "redis-server")
	root := dial(t, b.login(t, "root"))
	ask(t, root, "apt-get update") // what a machine's own timer does
	before := ask(t, root, leftovers)
	const state = `dpkg-query --show --showformat '${db:Status-Status} ${Version}\n' redis-server 2>/dev/null | grep -v ^not-
systemctl is-enabled redis-server 2>/dev/null; systemctl is-active redis-server; true`
	template := documented(t, "redis-package")
	r := rollsOut(t, b, &cluster{objects: map[plan.Key]*unstructured.Unstructured{}}, packaged(t, b, template))
	r.until(t, "redis is ready", isReady)
	if got := says(t, b, "PING") + says(t, b, "SET greeting hello"); got != "+PONG+OK" {
		t.Errorf("redis answers %s", got)
	}
	installed := ask(t, root, state)
	if !strings.HasPrefix(installed, "installed 5:7.") || !strings.HasSuffix(installed, "masked\ninactive") {
		t.Errorf("the package is %s, want it installed, and its own service kept from starting", installed)
	}

	template.Spec.Host.Args = append(template.Spec.Host.Args, "--maxmemory", "64mb")
	r.task.Plan, r.writes = packaged(t, b, template), 0
	r.until(t, "redis is updated", func(o engine.Outcome) bool { return r.writes > 0 && isReady(o) })
	want := "maxmemory\n67108864\nhello\n" + installed
	if diff := cmp.Diff(want, ask(t, root, "redis-cli config get maxmemory; redis-cli get greeting; "+state)); diff != "" {
		t.Errorf("after the update (-want +got):\n%s", diff)
	}

	r.takeDown(t)
	if got := ask(t, root, state); got != "inactive" {
		t.Errorf("when the service has gone the package is %s", got)
	}
	// What it came with stays, and so does a user that one of these has made.
	if diff := cmp.Diff(before, ask(t, root, "apt-get autoremove --purge -y >/dev/null; "+leftovers)); diff != "" {
		t.Errorf("left (-before +after):\n%s", diff)
	}
}
