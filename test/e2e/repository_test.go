//go:build e2e

package e2e

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// repository is one of the lab's own, at a git server in the lab that speaks HTTP: the one
// that the demo has, once more.
type repository struct {
	*lab
	dir string
	// url is how pods clone it.
	url string
}

func (l *lab) repository() *repository {
	l.Helper()
	l.setting(l.T, "INGRESS_PORT")
	demo, err := l.kube.AppsV1().Deployments("spock-demo").Get(l.ctx, "git", metav1.GetOptions{})
	if err != nil {
		l.Fatalf("find the demo's git server (make demo): %v", err)
	}
	_, err = l.kube.AppsV1().Deployments(l.name).Create(l.ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "git"}, Spec: demo.Spec}, metav1.CreateOptions{})
	l.must(err)
	_, err = l.kube.CoreV1().Services(l.name).Create(l.ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "git"},
		Spec: corev1.ServiceSpec{Selector: demo.Spec.Selector.MatchLabels, Ports: []corev1.ServicePort{
			{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)},
		}},
	}, metav1.CreateOptions{})
	l.must(err)
	l.expose("git", "git."+l.name+".localhost", "http")
	await(l, ref{deployments, l.name, "git"}, 2*soon, "the git server stands", func(d *appsv1.Deployment) bool { return d != nil && d.Status.AvailableReplicas == 1 })
	l.reachable("git."+l.name+".localhost", "/shop.git/info/refs?service=git-upload-pack")
	r := &repository{lab: l, dir: l.TempDir(), url: "http://git." + l.name + ".svc.cluster.local/shop.git"}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

// reachable waits until the ingress knows the pods of a host, which is a moment after they are ready.
func (l *lab) reachable(host, path string) {
	l.Helper()
	client := l.throughIngress()
	l.eventually(soon, func(ctx context.Context) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+path, nil)
		if err != nil {
			return err.Error()
		}
		answer, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return host + " answers " + answer.Status
		}
		return ""
	})
}

func (r *repository) git(args ...string) string {
	r.Helper()
	out, err := r.tool("", "git", append([]string{"-C", r.dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com"}, args...)...)
	r.must(err)
	return strings.TrimSpace(out)
}

// commits writes files, commits them and pushes the commit to refs. It returns its hash.
func (r *repository) commits(message string, files map[string]string, refs ...string) string {
	r.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(r.dir, name)
		r.must(os.MkdirAll(filepath.Dir(path), 0o755))
		r.must(os.WriteFile(path, []byte(files[name]), 0o600))
	}
	r.git("add", "--all")
	r.git("commit", "--quiet", "-m", message)
	host := "Host: git." + r.name + ".localhost" // not every resolver knows that it is this machine
	push := []string{"-c", "http.extraHeader=" + host, "push", "--quiet", "--force", "http://" + net.JoinHostPort("127.0.0.1", r.settings["INGRESS_PORT"]) + "/shop.git"}
	for _, to := range refs {
		push = append(push, "HEAD:"+to)
	}
	r.git(push...)
	return r.git("rev-parse", "HEAD")
}

// greeter is a Go module with one service, a unit test and a test of the environment. It
// needs little of the standard library, since each Task compiles it anew.
func greeter(greeting string) map[string]string {
	return map[string]string{
		"go.mod":                 "module example.com/shop\n\ngo 1.24\n",
		"greeting/greeting.go":   "package greeting\n\n// Text is what the service says.\nfunc Text() string { return \"" + greeting + "\" }\n",
		"greeting/text_test.go":  "package greeting\n\nimport \"testing\"\n\nfunc TestText(t *testing.T) {\n\tif Text() == \"\" {\n\t\tt.Error(\"it says nothing\")\n\t}\n}\n",
		"cmd/web/main.go":        greeterMain,
		"integration/up_test.go": greeterIntegration,
	}
}

const greeterMain = `package main

import (
	"fmt"
	"net"
	"os"

	"example.com/shop/greeting"
)

func main() {
	l, err := net.Listen("tcp", ":8080")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go answer(c)
	}
}

func answer(c net.Conn) {
	defer c.Close()
	_, _ = c.Read(make([]byte, 4096))
	text := greeting.Text() + "\n"
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
}
`

const greeterIntegration = `//go:build integration

package integration

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/shop/greeting"
)

func TestItAnswers(t *testing.T) {
	address := strings.TrimSuffix(strings.TrimPrefix(os.Getenv("SPOCK_URL"), "http://"), "/")
	got := ""
	for range 100 {
		if got = ask(address); strings.Contains(got, greeting.Text()) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s answers %q, want %q", address, got, greeting.Text())
}

func ask(address string) string {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address)
	all, _ := io.ReadAll(c)
	return string(all)
}
`
