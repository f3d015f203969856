package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/target/host"
)

func starting(p *corev1.Pod) {
	p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
}

func withSidecar(p *corev1.Pod) {
	p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "proxy"})
	p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, p.Status.ContainerStatuses[0])
	p.Status.ContainerStatuses[1].Name = "proxy"
}

// printing answers every request for a log with two lines, and records what was asked.
func (w *world) printing(pods ...runtime.Object) *[]corev1.PodLogOptions {
	var asked []corev1.PodLogOptions
	w.kube = kubefake.NewClientset(pods...)
	w.kube.PrependReactor("get", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if action.GetSubresource() != "log" {
			return false, nil, nil
		}
		asked = append(asked, *action.(clienttesting.GenericActionImpl).Value.(*corev1.PodLogOptions))
		return true, &runtime.Unknown{Raw: []byte("listening on :8080\nbye")}, nil
	})
	return &asked
}

func TestLogs(t *testing.T) {
	t.Parallel()
	pods := []runtime.Object{pod("web", "web-2", starting), pod("web", "web-1"), pod("orders", "orders-1", withSidecar), pod("postgres", "postgres-0")}
	tests := map[string][]string{
		"logs":          {"env", "logs", "shop"},
		"logs-services": {"env", "logs", "shop", "web", "postgres"},
		"logs-unknown":  {"env", "logs", "shop", "wbe"},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", ready))
			w.printing(pods...)
			w.run(args...).golden(t, name)
		})
	}
}

func TestLogsWithoutAPod(t *testing.T) {
	t.Parallel()
	newWorld(t, environment("shop", invalid)).run("env", "logs", "shop").golden(t, "logs-nothing")
}

func TestLogsOfThePreviousInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", ready))
	asked := w.printing(pod("orders", "orders-1", starting))
	got := w.run("env", "logs", "shop", "orders", "--previous", "--tail", "7")
	want := "orders/orders-1 | listening on :8080\norders/orders-1 | bye\n"
	if diff := cmp.Diff(want, got.out); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	if len(*asked) != 1 || !(*asked)[0].Previous || *(*asked)[0].TailLines != 7 {
		t.Errorf("asked for %+v, want 7 lines of the previous instance", *asked)
	}
}

func TestLogsOfServicesOnHosts(t *testing.T) {
	t.Parallel()
	away := &host.Failure{Class: host.Unreachable, Host: "db1", Message: "it does not answer at 10.0.0.11:22"}
	for name, tc := range map[string]struct {
		args     []string
		machines fakeMachines
		secret   bool
	}{
		"logs-host":          {args: []string{"env", "logs", "shop"}, secret: true},
		"logs-host-service":  {args: []string{"env", "logs", "shop", "web"}, secret: true},
		"logs-host-away":     {args: []string{"env", "logs", "shop", "postgres", "--tail", "5"}, machines: fakeMachines{err: away}, secret: true},
		"logs-host-secret":   {args: []string{"env", "logs", "shop", "postgres"}},
		"logs-host-previous": {args: []string{"env", "logs", "shop", "postgres", "--previous"}, secret: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", ready), aHost("db1", reachable), aHost("db2"))
			w.printing(pod("web", "web-1"))
			w.machines = &tc.machines
			if tc.secret {
				w.holds(t, "db1-ssh")
			}
			w.run(tc.args...).golden(t, name)
		})
	}
}

// holds gives the cluster the Secret of a host.
func (w *world) holds(t *testing.T, secret string) {
	t.Helper()
	if err := w.kube.Tracker().Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secret, Namespace: "team-a"}, Data: map[string][]byte{"ssh-privatekey": []byte("hush")}}); err != nil {
		t.Fatal(err)
	}
}

// enough cancels when so many lines were printed.
type enough struct {
	lines  int
	cancel context.CancelFunc
}

func (e *enough) Write(p []byte) (int, error) {
	if e.lines -= bytes.Count(p, []byte("\n")); e.lines <= 0 {
		e.cancel()
	}
	return len(p), nil
}

func TestFollowedLogsEndWithAnInterruptWhichIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", ready), aHost("db1", reachable))
	w.machines = &fakeMachines{}
	w.printing(pod("orders", "orders-1"), pod("web", "web-1"))
	w.holds(t, "db1-ssh")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.ctx, w.out = ctx, &enough{lines: 6, cancel: cancel}
	got := w.run("env", "logs", "shop", "-f")
	lines := slices.Sorted(strings.Lines(got.out))
	want := []string{"orders/orders-1 | bye\n", "orders/orders-1 | listening on :8080\n",
		"postgres/db1 | postgres goes on\n", "postgres/db1 | postgres listens, the last 100 lines\n", "web/web-1 | bye\n", "web/web-1 | listening on :8080\n"}
	if diff := cmp.Diff(want, lines); diff != "" || got.code != ExitOK {
		t.Errorf("exit %d, stderr %q, lines (-want +got):\n%s", got.code, got.err, diff)
	}
}
