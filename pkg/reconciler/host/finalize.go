package host

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

// Exists says whether there is such an environment.
type Exists func(environment types.NamespacedName) bool

// mostNamed services stand in the message of a Host that cannot go yet.
const mostNamed = 5

// FinalizeKind keeps a Host that is deleted until its environments have taken their services
// away: it counts as drained meanwhile, so they move, or go with their environment. One that
// is away is let go, since nothing can be done there, and so is what no environment has.
func (r *Reconciler) FinalizeKind(_ context.Context, h *v1alpha1.Host) reconciler.Event {
	if _, err := host.Fingerprint(h.Spec.HostKey); err != nil {
		return nil
	}
	r.connect(h)
	sight, _ := r.fleet.See(types.NamespacedName{Namespace: h.Namespace, Name: h.Name})
	if !sight.Connected {
		if sight.Failure != nil {
			return nil
		}
		return controller.NewSkipKey("it is being connected")
	}
	left := r.left(allocations(sight.Services))
	if len(left) == 0 {
		return nil
	}
	h.Status.Allocations = left
	h.MarkDeleting(going(left))
	return controller.NewSkipKey("services are left")
}

// left are the allocations of environments that are there to take them away.
func (r *Reconciler) left(all []v1alpha1.HostAllocation) (left []v1alpha1.HostAllocation) {
	for _, a := range all {
		namespace, name, _ := strings.Cut(a.Environment, "/")
		if r.exists(types.NamespacedName{Namespace: namespace, Name: name}) {
			left = append(left, a)
		}
	}
	return left
}

func going(left []v1alpha1.HostAllocation) string {
	var names []string
	for i, a := range left {
		if i == mostNamed {
			names = append(names, fmt.Sprintf("and %d more", len(left)-i))
			break
		}
		names = append(names, a.Service+" of "+a.Environment)
	}
	return "it goes when these have gone from the machine: " + strings.Join(names, ", ") +
		"; their environments move them where they can, or say why not"
}
