package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"knative.dev/pkg/apis"
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	fakespockclient "spock.dev/spock/pkg/client/injection/client/fake"
	hostinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host/fake"
	"spock.dev/spock/pkg/reconciler/lease"
	"spock.dev/spock/pkg/target/host"
)

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVMHW/ejTfEcEqLw6enIwaQnb6ya7gxLx3N3Qzwt7bf"

var db1 = types.NamespacedName{Namespace: "team-a", Name: "db1"}

// fakeFleet remembers its machines, and shows what the test says.
type fakeFleet struct {
	mu     sync.Mutex
	places map[types.NamespacedName]host.Place
	keys   map[types.NamespacedName]host.Keys
	sight  host.Sight
}

func (f *fakeFleet) Set(name types.NamespacedName, place host.Place, keys host.Keys) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.places[name], f.keys[name] = place, keys
}

func (f *fakeFleet) Drop(name types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.places, name)
}

func (f *fakeFleet) See(types.NamespacedName) (host.Sight, bool) { return f.sight, true }

// rig reconciles one Host, through the generated reconciler.
type rig struct {
	*testing.T
	ctx   context.Context
	fleet *fakeFleet
	clock *clocktesting.FakePassiveClock
	pass  func() error
}

func newRig(t *testing.T, h *v1alpha1.Host, sight host.Sight, secrets Secrets) *rig {
	t.Helper()
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return logging.WithLogger(ctx, zap.NewNop().Sugar())
	})
	t.Cleanup(cancel)
	if err := fakespockclient.Get(ctx).Tracker().Add(h); err != nil {
		t.Fatal(err)
	}
	r := &rig{
		T: t, ctx: ctx, clock: clocktesting.NewFakePassiveClock(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)),
		fleet: &fakeFleet{places: map[types.NamespacedName]host.Place{}, keys: map[types.NamespacedName]host.Keys{}, sight: sight},
	}
	r.keep(h)
	impl := newController(ctx, &lease.Health{}, r.fleet, secrets, r.clock)
	if err := impl.Reconciler.(reconciler.LeaderAware).Promote(reconciler.UniversalBucket(), nil); err != nil {
		t.Fatal(err)
	}
	r.pass = func() error { return impl.Reconciler.Reconcile(ctx, db1.String()) }
	return r
}

// keep puts a Host into the cache.
func (r *rig) keep(h *v1alpha1.Host) {
	r.Helper()
	if err := hostinformer.Get(r.ctx).Informer().GetIndexer().Update(h); err != nil {
		r.Fatal(err)
	}
}

// stored is the Host as the API server has it, and as the cache comes to know it.
func (r *rig) stored() *v1alpha1.Host {
	r.Helper()
	got, err := fakespockclient.Get(r.ctx).SpockV1alpha1().Hosts(db1.Namespace).Get(r.ctx, db1.Name, metav1.GetOptions{})
	if err != nil {
		r.Fatal(err)
	}
	r.keep(got)
	return got
}

// reconciled is the Host as stored after one pass, and the fleet.
func reconciled(t *testing.T, h *v1alpha1.Host, sight host.Sight, secrets Secrets) (*v1alpha1.Host, *fakeFleet, func() error) {
	t.Helper()
	r := newRig(t, h, sight, secrets)
	if err := r.pass(); err != nil {
		t.Fatal(err)
	}
	return r.stored(), r.fleet, func() error {
		if err := hostinformer.Get(r.ctx).Informer().GetIndexer().Delete(h); err != nil {
			return err
		}
		return r.pass()
	}
}

func machine(change ...func(*v1alpha1.Host)) *v1alpha1.Host {
	h := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Namespace: db1.Namespace, Name: db1.Name, Generation: 3}, Spec: v1alpha1.HostSpec{
		Address: "10.0.0.11", HostKey: hostKey, Credentials: v1alpha1.HostCredentials{SecretName: "db1-ssh"},
	}}
	for _, c := range change {
		c(h)
	}
	return h
}

func TestAHostTellsHowItIs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sight   host.Sight
		change  func(*v1alpha1.Host)
		status  corev1.ConditionStatus
		reason  string
		message []string
	}{
		"not tried yet": {sight: host.Sight{}, status: corev1.ConditionUnknown, reason: "Connecting", message: []string{"10.0.0.11:22"}},
		"connected":     {sight: host.Sight{Connected: true}, status: corev1.ConditionTrue, reason: "Reachable"},
		"it is away": {
			sight:  host.Sight{Failure: &host.Failure{Class: host.Unreachable, Host: "db1", Message: "it does not answer at 10.0.0.11:22"}},
			status: corev1.ConditionFalse, reason: "HostUnreachable", message: []string{"does not answer", "see that the machine runs"},
		},
		"its key changed": {
			sight:  host.Sight{Failure: &host.Failure{Class: host.KeyChanged, Host: "db1", Message: "its key is not the pinned one"}},
			status: corev1.ConditionFalse, reason: "HostKeyChanged", message: []string{"spec.hostKey"},
		},
		"the secret is missing": {
			sight:  host.Sight{Failure: errors.Join(host.ErrNoCredentials, errors.New("secret db1-ssh: not found"))},
			status: corev1.ConditionFalse, reason: "NoCredentials", message: []string{"db1-ssh"},
		},
		"the pinned key is none": {
			change: func(h *v1alpha1.Host) { h.Spec.HostKey = "ssh-ed25519 nonsense" },
			status: corev1.ConditionFalse, reason: "InvalidSpec", message: []string{"spec.hostKey"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := machine()
			if tc.change != nil {
				tc.change(h)
			}
			got, fleet, _ := reconciled(t, h, tc.sight, nil)
			ready := got.Status.GetCondition(apis.ConditionReady)
			if ready == nil || ready.Status != tc.status || ready.Reason != tc.reason || got.Status.ObservedGeneration != 3 {
				t.Fatalf("Ready is %+v of generation %d, want %s, %s", ready, got.Status.ObservedGeneration, tc.status, tc.reason)
			}
			for _, want := range tc.message {
				if !strings.Contains(ready.Message, want) {
					t.Errorf("message %q lacks %q", ready.Message, want)
				}
			}
			if _, set := fleet.places[db1]; set == (tc.reason == "InvalidSpec") {
				t.Errorf("machines %v", fleet.places)
			}
		})
	}
}

// service is what a machine tells of a service.
func service(env, name, active string) host.Told {
	return host.Told{Record: host.Record{Labels: map[string]string{
		v1alpha1.LabelEnvironmentNamespace: "team-a", v1alpha1.LabelEnvironment: env, v1alpha1.LabelService: name,
	}}, Unit: host.Unit{Active: active}}
}

// on is a connected machine with services.
func on(services ...host.Told) host.Sight {
	sight := host.Sight{Connected: true, Services: map[string]host.Told{}}
	for _, s := range services {
		sight.Services[s.Record.Labels[v1alpha1.LabelService]] = s
	}
	return sight
}

func TestAConnectedHostTellsWhatItIsAndWhatRunsThere(t *testing.T) {
	t.Parallel()
	got, fleet, gone := reconciled(t, machine(), host.Sight{
		Connected: true,
		Facts:     host.Facts{OS: "Debian 12", Arch: "x86_64", Systemd: 252, CPUs: 8, MemoryKiB: 1 << 20, DiskKiB: 1 << 22, DiskFreeKiB: 1 << 21},
		Services:  map[string]host.Told{"b": service("shop", "postgres", "active"), "a": service("blog", "web", "failed"), "c": {}},
	}, nil)
	size := func(text string) *resource.Quantity { q := resource.MustParse(text); return &q }
	want := v1alpha1.HostStatus{
		Fingerprint: "SHA256:", Facts: &v1alpha1.HostFacts{OS: "Debian 12", Arch: "x86_64", Systemd: 252, CPUs: 8, Memory: size("1Gi"), Disk: size("4Gi"), DiskFree: size("2Gi")},
		Allocations: []v1alpha1.HostAllocation{{Environment: "team-a/blog", Service: "web", State: "Failed"}, {Environment: "team-a/shop", Service: "postgres", State: "Running"}},
	}
	if !strings.HasPrefix(got.Status.Fingerprint, "SHA256:") {
		t.Errorf("fingerprint %q", got.Status.Fingerprint)
	}
	got.Status.Fingerprint = "SHA256:"
	got.Status.Status = want.Status
	if diff := cmp.Diff(want, got.Status, cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if want := (host.Place{Address: "10.0.0.11:22", User: "root", HostKey: hostKey, Credentials: "spock-hosts/db1-ssh"}); fleet.places[db1] != want {
		t.Errorf("it is reached as %+v, want %+v", fleet.places[db1], want)
	}
	if err := gone(); err != nil || len(fleet.places) > 0 {
		t.Errorf("when it is gone: %v, machines %v", err, fleet.places)
	}
}

// The process that drives environments need not be the one that tells of hosts.
func TestAProcessThatDoesNotTellConnectsAsWell(t *testing.T) {
	t.Parallel()
	fleet := &fakeFleet{places: map[types.NamespacedName]host.Place{}, keys: map[types.NamespacedName]host.Keys{}}
	r := &Reconciler{fleet: fleet}
	h := machine()
	before := h.DeepCopy()
	if err := r.ObserveKind(t.Context(), h); err != nil || fleet.places[db1].Address != "10.0.0.11:22" {
		t.Errorf("ObserveKind() = %v, machines %v", err, fleet.places)
	}
	if diff := cmp.Diff(before, h); diff != "" {
		t.Errorf("it was changed (-want +got):\n%s", diff)
	}
}

func TestCredentialsAreReadAsTheServiceAccountOfTheHost(t *testing.T) {
	t.Parallel()
	data := map[string][]byte{"ssh-privatekey": []byte("hush"), "ssh-certificate": []byte("cert")}
	var asked string
	_, fleet, _ := reconciled(t, machine(func(h *v1alpha1.Host) { h.Spec.Credentials.ServiceAccountName = "vault" }), host.Sight{},
		func(_ context.Context, namespace, serviceAccount, name string) (map[string][]byte, error) {
			asked = fmt.Sprint(namespace, " ", serviceAccount, " ", name)
			return data, nil
		})
	key, certificate, err := fleet.keys[db1](t.Context())
	if err != nil || string(key) != "hush" || string(certificate) != "cert" || asked != "team-a vault db1-ssh" {
		t.Errorf("keys %q, %q, %v, read %s", key, certificate, err, asked)
	}
	delete(data, "ssh-privatekey")
	if _, _, err := fleet.keys[db1](t.Context()); !errors.Is(err, host.ErrNoCredentials) || !strings.Contains(err.Error(), "ssh-privatekey") {
		t.Errorf("without a key: %v", err)
	}
}
