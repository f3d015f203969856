package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

const shownKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVMHW/ejTfEcEqLw6enIwaQnb6ya7gxLx3N3Qzwt7bf"

// fakeMachines are machines that answer all alike.
type fakeMachines struct {
	err   error
	login host.Login
}

func (f *fakeMachines) Key(context.Context, string) (string, error) { return shownKey, nil }

func (f *fakeMachines) Facts(_ context.Context, login host.Login) (host.Facts, error) {
	f.login = login
	return host.Facts{OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64", Systemd: 252, CPUs: 8, MemoryKiB: 32 << 20, DiskFreeKiB: 100 << 20}, f.err
}

// Exec prints what it was asked for, and ends as the service's name says.
func (f *fakeMachines) Exec(_ context.Context, login host.Login, want host.ExecRequest) (int, error) {
	fmt.Fprintf(want.Stdout, "%s runs %q in %s of %s\n", login.Name, want.Command, want.Service, want.Environment)
	if want.Command[0] == "false" {
		return 7, nil
	}
	return 0, nil
}

func (f *fakeMachines) Logs(ctx context.Context, login host.Login, want host.LogRequest, line func(string)) error {
	f.login = login
	line(fmt.Sprintf("%s listens, the last %d lines", want.Service, want.Tail))
	if f.err == nil && want.Follow {
		line(want.Service + " goes on")
		<-ctx.Done()
	}
	return f.err
}

func aHost(name string, change ...func(*v1alpha1.Host)) *v1alpha1.Host {
	size := resource.MustParse("32Gi")
	h := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a", Labels: map[string]string{"role": "db", "disk": "fast"}, Generation: 1, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}}
	h.Spec = v1alpha1.HostSpec{Address: "10.0.0.11", HostKey: shownKey, Credentials: v1alpha1.HostCredentials{SecretName: name + "-ssh"}, Capacity: v1alpha1.HostCapacity{Memory: &size}}
	h.Status.ObservedGeneration, h.Status.Fingerprint = 1, "SHA256:abc"
	for _, c := range change {
		c(h)
	}
	for i := range h.Status.Conditions { // the marks read the clock of the machine
		h.Status.Conditions[i].LastTransitionTime = apis.VolatileTime{Inner: metav1.NewTime(now)}
	}
	return h
}

func reachable(h *v1alpha1.Host) {
	memory, free := resource.MustParse("64Gi"), resource.MustParse("900Mi")
	h.MarkReachable()
	h.Status.Facts = &v1alpha1.HostFacts{OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64", Systemd: 252, CPUs: 8, Memory: &memory, DiskFree: &free}
	h.Status.Allocations = []v1alpha1.HostAllocation{{Environment: "team-a/shop", Service: "postgres", State: "Running"}}
}

func TestHostsAreShown(t *testing.T) {
	t.Parallel()
	away := aHost("db2", func(h *v1alpha1.Host) { h.MarkUnreachable("HostUnreachable", "host db2: it does not answer") })
	fresh := aHost("db3", func(h *v1alpha1.Host) { h.Status = v1alpha1.HostStatus{} })
	for name, args := range map[string][]string{
		"host-ls":      {"host", "ls"},
		"host-ls-name": {"host", "ls", "-A", "-o", "name"},
		"host-ls-none": {"host", "ls", "-n", "team-b"},
		"host-show":    {"host", "show", "db1"},
		"host-away":    {"host", "show", "db2"},
		"host-fresh":   {"host", "show", "db3"},
		"host-yaml":    {"host", "show", "db1", "-o", "yaml"},
		"host-missing": {"host", "show", "db"},
		"host-check":   {"host", "check", "db1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, aHost("db1", reachable), away, fresh)
			w.machines = &fakeMachines{}
			if err := w.kube.Tracker().Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db1-ssh", Namespace: "team-a"}, Data: map[string][]byte{"ssh-privatekey": []byte("hush")}}); err != nil {
				t.Fatal(err)
			}
			w.run(args...).golden(t, name)
		})
	}
}

func TestAHostIsAddedWhenItsKeyIsConfirmed(t *testing.T) {
	t.Parallel()
	fingerprint, err := host.Fingerprint(shownKey)
	if err != nil {
		t.Fatal(err)
	}
	add := []string{"host", "add", "db1", "--address", "10.0.0.11", "--key", "KEY", "--label", "role=db", "--memory", "16Gi", "--slots", "4"}
	for name, tc := range map[string]struct {
		stdin    string
		args     []string
		machines fakeMachines
		added    bool
	}{
		"host-add":             {stdin: "yes\n", args: add, added: true},
		"host-add-unconfirmed": {stdin: "y\n", args: add},
		"host-add-silent":      {args: append(add[:len(add):len(add)], "--fingerprint", fingerprint), added: true},
		"host-add-other":       {args: append(add[:len(add):len(add)], "--fingerprint", "SHA256:other")},
		"host-add-refused":     {stdin: "yes\n", args: add, machines: fakeMachines{err: &host.Failure{Class: host.AuthRefused, Host: "db1", Message: "it does not let user root in with this key"}}},
		"host-add-usage":       {args: []string{"host", "add", "db1"}},
		"host-add-quantity":    {args: append(add[:len(add):len(add)], "--cpu", "many")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stdin, w.machines = tc.stdin, &tc.machines
			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, []byte("hush"), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append([]string(nil), tc.args...)
			for i := range args {
				if args[i] == "KEY" {
					args[i] = file
				}
			}
			r := w.run(args...)
			r.args = tc.args
			r.golden(t, name)
			w.checkHost(t, tc.added)
		})
	}
}

// checkHost checks what is stored of host db1.
func (w *world) checkHost(t *testing.T, added bool) {
	t.Helper()
	got, err := w.spock.SpockV1alpha1().Hosts("team-a").Get(t.Context(), "db1", metav1.GetOptions{})
	if (err == nil) != added {
		t.Fatalf("the host is %v, %v; want added %t", got, err, added)
	}
	secrets, _ := w.kube.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{})
	roles, _ := w.kube.RbacV1().Roles("").List(t.Context(), metav1.ListOptions{})
	bindings, _ := w.kube.RbacV1().RoleBindings("").List(t.Context(), metav1.ListOptions{})
	if !added {
		if len(secrets.Items)+len(roles.Items)+len(bindings.Items) > 0 {
			t.Errorf("nothing was added, and there are %v %v %v", secrets.Items, roles.Items, bindings.Items)
		}
		return
	}
	if got.Spec.HostKey != shownKey || got.Labels["role"] != "db" || got.Spec.Capacity.Memory.String() != "16Gi" || *got.Spec.Capacity.Slots != 4 {
		t.Errorf("the host is %+v", got)
	}
	if len(secrets.Items) != 1 || string(secrets.Items[0].Data["ssh-privatekey"]) != "hush" {
		t.Errorf("secrets %v", secrets.Items)
	}
	rule := roles.Items[0].Rules[0]
	if len(rule.ResourceNames) != 1 || rule.ResourceNames[0] != "db1-ssh" || len(rule.Verbs) != 1 || bindings.Items[0].Subjects[0].Name != "spock-hosts" {
		t.Errorf("role %v, binding %v", roles.Items, bindings.Items)
	}
}

func TestAHostIsDrained(t *testing.T) {
	t.Parallel()
	empty := func(h *v1alpha1.Host) { reachable(h); h.Status.Allocations = nil }
	for name, tc := range map[string]struct {
		host *v1alpha1.Host
		args []string
		want bool
	}{
		"host-drain":       {aHost("db1", reachable), []string{"host", "drain", "db1"}, true},
		"host-drain-empty": {aHost("db1", empty), []string{"host", "drain", "db1"}, true},
		"host-drain-undo":  {aHost("db1", reachable, func(h *v1alpha1.Host) { h.Spec.Drain = true }), []string{"host", "drain", "db1", "--undo"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.host)
			w.run(tc.args...).golden(t, name)
			got, err := w.spock.SpockV1alpha1().Hosts("team-a").Get(t.Context(), "db1", metav1.GetOptions{})
			if err != nil || got.Spec.Drain != tc.want {
				t.Errorf("drain is %t, %v, want %t", got.Spec.Drain, err, tc.want)
			}
		})
	}
	newWorld(t, aHost("db1", reachable, func(h *v1alpha1.Host) { h.Spec.Drain = true })).run("host", "show", "db1").golden(t, "host-drained")
}

func TestAHostThatIsThereIsNotAddedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, aHost("db1"))
	w.stdin, w.machines = "yes\n", &fakeMachines{}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.run("host", "add", "db1", "--address", "10.0.0.11", "--key", file)
	r.args = []string{"host", "add", "db1", "..."}
	r.golden(t, "host-add-again")
}
