//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// digest names an image of the cluster's registry by its digest.
func (l *lab) digest(image string) string {
	l.Helper()
	tag, err := name.ParseReference(l.setting(l.T, "REGISTRY") + "/" + image)
	l.must(err)
	found, err := remote.Head(tag, remote.WithContext(l.ctx))
	l.must(err)
	pulled, err := name.ParseReference(l.image(image))
	l.must(err)
	return pulled.Context().Digest(found.Digest.String()).String()
}

// either is a template of a web server that runs in a pod as on a machine, with the same
// words, on a port of its own.
func either(name string, port int32, script string) *v1alpha1.ServiceTemplate {
	t := page()
	t.Name = name
	t.Spec.Ports[0].Port = port
	command := []string{"sh", "-c", fmt.Sprintf("%s\nexec httpd -f -p %d -h /tmp/www", script, port)}
	t.Spec.Files = []v1alpha1.ConfigFile{{Path: "/etc/greeting", Content: "${service.name} says ${params.greeting}\n"}}
	t.Spec.Container.Command = command
	t.Spec.Host = &v1alpha1.HostProcess{Exec: command}
	return t
}

// stores keeps what it is given; relays show what they get from where they are told, before
// they listen and every second after: what stands between may for a moment still lead to the
// release before, which runs until its connections have ended.
func stores() *v1alpha1.ServiceTemplate {
	return either("store", 8080, "sleep ${params.delay}; mkdir -p /tmp/www; cp /etc/greeting /tmp/www/index.html")
}

func relays(name string, port int32) *v1alpha1.ServiceTemplate {
	return either(name, port, `mkdir -p /tmp/www
get() { wget -q -O /tmp/next "$FROM" && cat /etc/greeting >> /tmp/next && mv /tmp/next /tmp/www/index.html; }
until get; do sleep 1; done
while sleep 1; do get; done &`)
}

func from(s v1alpha1.ProductService, url string) v1alpha1.ProductService {
	s.Env = append(s.Env, v1alpha1.EnvVar{Name: "FROM", Value: ptr.To(url)})
	return s
}

func onHost(s v1alpha1.ProductService) v1alpha1.ProductService {
	s.Target = v1alpha1.TargetHost
	return s
}

func exposed(s v1alpha1.ProductService) v1alpha1.ProductService {
	s.Expose = &v1alpha1.Expose{Port: "http"}
	return s
}

// TestMachinesAndPodsAreOneEnvironment brings up a chain that goes from a machine to a pod
// and back: db and report run on a machine, web in a pod between them.
func TestMachinesAndPodsAreOneEnvironment(t *testing.T) {
	t.Parallel()
	needsNode(t, "nothing answers")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	image := l.digest("busybox:1")
	service := func(name, template string) v1alpha1.ProductService {
		return v1alpha1.ProductService{Name: name, Template: template, Image: image}
	}
	l.create(stores(), relays("relay", 8080), relays("report", 8081), product("shop",
		group("data", onHost(service("db", "store"))),
		group("backend", exposed(from(service("web", "relay"), "http://${services.db.host}:${services.db.port}/"))),
		group("frontend", exposed(onHost(from(service("report", "report"), "${services.web.url}/")))),
	))
	log := l.watchRequests()
	if end := l.ended(l.deploy("shop", "shop")); !end.IsTrue() {
		t.Fatalf("the deploy ended %s: %s", end.Reason, end.Message)
	}
	l.answers("report", "db says hello\nweb says hello\nreport says hello\n")
	l.sameImage(m, image)
	l.runsIn("db", "db says hello\n")
	l.runsIn("web", "web says hello\n")

	log.read()
	stood := m.ask(standing)
	if end := l.ended(l.deploy("shop", "shop")); !end.IsTrue() {
		t.Errorf("the repeated deploy ended %s: %s", end.Reason, end.Message)
	}
	if all := in(l.home("shop"), writes(log.read())); len(all) > 0 {
		t.Errorf("a repeated deploy writes into the environment:\n%s", listing(all))
	}
	if stands := m.ask(standing); stands != stood {
		t.Errorf("a repeated deploy writes to the machine; before:\n%s\nafter:\n%s", stood, stands)
	}

	stop := l.record("shop")
	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
	})
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	l.answers("report", "db says good morning\nweb says good morning\nreport says good morning\n")
	if versions := stop(); versions.first("web", func(d version) bool { return d.Generation == 2 }) == 0 {
		t.Errorf("web was not changed:\n%s", versions)
	}

	// A Host that is deleted stays until its services have gone, which have nowhere to go here.
	l.must(l.spock.SpockV1alpha1().Hosts(l.name).Delete(l.ctx, "box", metav1.DeleteOptions{}))
	held := m.is("box", corev1.ConditionFalse, v1alpha1.ReasonDeleting, soon)
	if said := held.Status.GetCondition(apis.ConditionReady).Message; !strings.Contains(said, "db of "+l.name+"/shop") {
		t.Errorf("the Host that is deleted says %s", said)
	}
	l.answers("report", "db says good morning\nweb says good morning\nreport says good morning\n")
	l.isTakenAway(m, before)
	l.gone(ref{v1alpha1.SchemeGroupVersion.WithResource("hosts"), l.name, "box"}, soon)
}

// answers waits until an exposed service of the shop says something at its URL.
func (l *lab) answers(service, want string) {
	l.Helper()
	l.setting(l.T, "INGRESS_PORT")
	client := l.throughIngress()
	url := fmt.Sprintf("http://%s.shop.%s/", service, l.domain())
	l.eventually(15*time.Second, func(ctx context.Context) string { return ask(ctx, client, url, want) })
}

// runsIn runs commands in a service of the shop as a person would, wherever it runs.
func (l *lab) runsIn(service, greeting string) {
	l.Helper()
	exec := []string{"env", "exec", "shop", service, "-n", l.name, "-i", "--"}
	out, err := l.tool("typed", "spock", append(exec, "sh", "-c", `cat /etc/greeting; cat; echo; env | grep -c ^PATH=`)...)
	if want := greeting + "typed\n1\n"; err != nil || out != want {
		l.Errorf("in %s a command prints %q, %v, want %q", service, out, err, want)
	}
	if out, _ := l.tool("", "bash", "-c", "spock env exec shop "+service+" -n "+l.name+" -- sh -c 'exit 7'; echo $?"); out != "7\n" {
		l.Errorf("in %s a command that ends with 7 ends with %q", service, out)
	}
}

// sameImage says that the pod and the machine run one image, and the machine has it once.
func (l *lab) sameImage(m *machine, image string) {
	l.Helper()
	list, err := l.kube.CoreV1().Pods(l.home("shop")).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	if len(list.Items) != 1 || list.Items[0].Spec.Containers[0].Image != image {
		l.Errorf("the pods are %+v, want one with image %s", list.Items, image)
	}
	if got := m.ask("cat /etc/spock/services/*/current/record | grep -o '" + image + "' | sort | uniq -c | tr -s ' '; ls /var/lib/spock/releases | wc -l"); got != "2 "+image+"\n1" {
		l.Errorf("on the machine there are %q, want two services with image %s and one release", got, image)
	}
}

// TestAKilledControllerGoesOnWithAnUpload is not parallel: it takes the controller from
// under the feet of all other tests. The image is a large one.
func TestAKilledControllerGoesOnWithAnUpload(t *testing.T) {
	needsNode(t, "the controller is no pod that could be killed")
	l, m := machineLab(t)
	m.add("box")
	large := &v1alpha1.ServiceTemplate{ObjectMeta: metav1.ObjectMeta{Name: "large"}, Spec: v1alpha1.ServiceTemplateSpec{
		Host: &v1alpha1.HostProcess{Exec: []string{"sleep", "100000"}},
	}}
	l.create(large, product("shop", group("data", v1alpha1.ProductService{Name: "db", Template: "large", Image: l.digest("postgres:15")})))
	l.dismiss(l.controller(), nil) // what is killed below is what this test started
	victim := l.controller()
	m.is("box", corev1.ConditionTrue, "Reachable", soon)
	number := func(script string) int {
		t.Helper()
		n, err := strconv.Atoi(m.ask(script))
		l.must(err)
		return n
	}
	const arrived = `cat /var/lib/spock/incoming/* 2>/dev/null | wc -c`
	began, run := number(received), l.deploy("shop", "shop")
	l.eventually(soon, func(context.Context) string {
		if n := number(arrived); n < 64<<20 {
			return fmt.Sprintf("%d bytes of a piece have arrived", n)
		}
		return ""
	})
	l.kill(victim, "custom-task-controller")
	l.dismiss(victim, ptr.To[int64](0))
	there := number(arrived)
	if there < 64<<20 || m.ask("ls /var/lib/spock/releases 2>/dev/null | wc -l") != "0" {
		t.Fatalf("%d bytes were there when the controller was killed, or all of it: nothing is shown", there)
	}

	l.reaches("shop", v1alpha1.PhaseReady, 1)
	if end := l.ended(run); !end.IsTrue() {
		t.Errorf("the CustomRun ended %s: %s", end.Reason, end.Message)
	}
	if runs := l.runs("shop"); len(runs) != 1 {
		t.Errorf("the EnvironmentRuns are %+v, want the one that was on its way", runs)
	}
	whole := number(`cat $(find /var/lib/spock/pieces -type f) | wc -c`)
	came := number(received) - began
	t.Logf("%d bytes were there when the controller was killed; %d came for %d of files", there, came, whole)
	if came > whole+whole/20+there/2 {
		t.Errorf("%d bytes came for an image of %d, of which %d were there at the kill: it was sent again", came, whole, there)
	}
	if got := m.ask(units + "; systemctl show --property=NRestarts --value 'spock-*'"); strings.Count(got, ".service") != 1 || !strings.HasSuffix(got, "\n0") {
		t.Errorf("the units and their restarts are %q, want one that was started once", got)
	}
}
