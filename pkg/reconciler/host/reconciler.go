// Package host reconciles Hosts: it keeps a connection to each of them, and its status
// tells whether the machine can be used, what it is and what runs there.
//
// What goes on on a machine is pushed over that connection; a pass reads what is known
// and waits for nothing.
package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
	"spock.dev/spock/pkg/unit"
)

// Fleet is the machines that are connected.
type Fleet interface {
	Set(name types.NamespacedName, place host.Place, keys host.Keys)
	Drop(name types.NamespacedName)
	See(name types.NamespacedName) (host.Sight, bool)
}

// Secrets reads one Secret as a service account of its namespace.
type Secrets func(ctx context.Context, namespace, serviceAccount, name string) (map[string][]byte, error)

// Reconciler reconciles Hosts.
type Reconciler struct {
	fleet    Fleet
	secrets  Secrets
	exists   Exists
	clock    clock.PassiveClock
	settling settling
}

var _ reconciler.OnDeletionInterface = (*Reconciler)(nil)

// ReconcileKind sees that the machine is connected, and tells how it is.
func (r *Reconciler) ReconcileKind(_ context.Context, h *v1alpha1.Host) reconciler.Event {
	name, before := types.NamespacedName{Namespace: h.Namespace, Name: h.Name}, h.Status.DeepCopy()
	fingerprint, err := host.Fingerprint(h.Spec.HostKey)
	if err != nil {
		r.fleet.Drop(name)
		h.Status.Fingerprint = ""
		h.MarkUnreachable(v1alpha1.ReasonInvalid, "spec.hostKey: "+err.Error())
		return nil
	}
	h.Status.Fingerprint = fingerprint
	r.connect(h)
	sight, _ := r.fleet.See(name)
	tell(h, sight)
	if left := r.settling.left(name, before, &h.Status, r.clock.Now()); left > 0 {
		h.Status.Facts, h.Status.Allocations = before.Facts, before.Allocations
		return controller.NewRequeueAfter(left)
	}
	return nil
}

// ObserveKind connects the machine where this process does not tell of it: the process that
// drives environments may be another one than that which tells of machines.
func (r *Reconciler) ObserveKind(_ context.Context, h *v1alpha1.Host) reconciler.Event {
	if _, err := host.Fingerprint(h.Spec.HostKey); err == nil {
		r.connect(h)
	}
	return nil
}

func (r *Reconciler) connect(h *v1alpha1.Host) {
	name, c := types.NamespacedName{Namespace: h.Namespace, Name: h.Name}, h.Spec.Credentials
	place := host.Place{Address: h.Spec.SSHAddress(), User: h.Spec.Login(), HostKey: h.Spec.HostKey, Credentials: c.Reader() + "/" + c.SecretName}
	r.fleet.Set(name, place, r.keys(name, c))
}

// ObserveDeletion closes the connection of a Host that is gone.
func (r *Reconciler) ObserveDeletion(_ context.Context, name types.NamespacedName) error {
	r.fleet.Drop(name)
	r.settling.forget(name)
	return nil
}

// keys reads the Secret of a Host. Its errors name keys of the Secret and no value.
func (r *Reconciler) keys(name types.NamespacedName, c v1alpha1.HostCredentials) host.Keys {
	return func(ctx context.Context) ([]byte, []byte, error) {
		data, err := r.secrets(ctx, name.Namespace, c.Reader(), c.SecretName)
		if err != nil {
			return nil, nil, errors.Join(host.ErrNoCredentials, err)
		}
		key := data[v1alpha1.HostSecretKey]
		if len(key) == 0 {
			return nil, nil, errors.Join(host.ErrNoCredentials, errors.New("secret "+c.SecretName+" has no key "+v1alpha1.HostSecretKey))
		}
		return key, data[v1alpha1.HostSecretCert], nil
	}
}

// tell writes what is seen of a machine into the status. Facts and allocations stay as
// they were last known.
func tell(h *v1alpha1.Host, s host.Sight) {
	switch {
	case s.Connected:
		h.MarkReachable()
		h.Status.Facts = facts(s.Facts)
		h.Status.Allocations = allocations(s.Services)
	case s.Failure == nil:
		h.MarkConnecting()
	case errors.Is(s.Failure, host.ErrNoCredentials):
		h.MarkUnreachable(v1alpha1.ReasonNoCredentials, strings.ReplaceAll(s.Failure.Error(), "\n", ": "))
	default:
		class := host.ClassOf(s.Failure)
		message := s.Failure.Error()
		if hint := class.Hint(); hint != "" {
			message += "; " + hint
		}
		h.MarkUnreachable(string(cmp.Or(class, host.Broken)), message)
	}
}

func facts(f host.Facts) *v1alpha1.HostFacts {
	size := func(kib int64) *resource.Quantity { return resource.NewQuantity(kib<<10, resource.BinarySI) }
	return &v1alpha1.HostFacts{
		OS: f.OS, Arch: f.Arch, Kernel: f.Kernel, Systemd: f.Systemd, CPUs: f.CPUs,
		Memory: size(f.MemoryKiB), Disk: size(f.DiskKiB), DiskFree: size(f.DiskFreeKiB),
	}
}

func allocations(services map[string]host.Told) []v1alpha1.HostAllocation {
	var out []v1alpha1.HostAllocation
	for _, told := range services {
		labels := told.Record.Labels
		if labels[v1alpha1.LabelEnvironment] == "" {
			continue
		}
		a := v1alpha1.HostAllocation{
			Environment: labels[v1alpha1.LabelEnvironmentNamespace] + "/" + labels[v1alpha1.LabelEnvironment],
			Service:     labels[v1alpha1.LabelService],
			State:       string(told.Unit.State()),
		}
		use(&a, told.Record.Spec)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b v1alpha1.HostAllocation) int {
		return cmp.Or(strings.Compare(a.Environment, b.Environment), strings.Compare(a.Service, b.Service), strings.Compare(a.State, b.State))
	})
	return out
}

// use adds what a service may use, as it was wanted.
func use(a *v1alpha1.HostAllocation, spec []byte) {
	var want unit.Instance
	if json.Unmarshal(spec, &want) != nil {
		return // what is no spec of ours uses nothing that is known
	}
	a.Ports = want.Ports
	if want.Limits.CPU > 0 {
		a.CPU = resource.NewMilliQuantity(want.Limits.CPU, resource.DecimalSI)
	}
	if want.Limits.Memory > 0 {
		a.Memory = resource.NewQuantity(want.Limits.Memory, resource.BinarySI)
	}
}
