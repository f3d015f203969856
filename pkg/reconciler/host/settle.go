package host

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

const (
	// settlesPlace is how long it may take until a service that begins to start, or has
	// gone, is told: what else comes and goes meanwhile is one write with it.
	settlesPlace = 2 * time.Second
	// settlesState is the same for how services and disk are. A service that is updated is
	// back by then, and nothing is written.
	settlesState = 10 * time.Second
)

// settling knows since when a machine is otherwise than its status tells.
type settling struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

// left is how long a status that differs from the one before need not be written yet;
// nothing when it has to be.
func (s *settling) left(name types.NamespacedName, before, now *v1alpha1.HostStatus, at time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	need := needs(before, now)
	first, waits := s.since[name]
	if need == 0 || waits && at.Sub(first) >= need {
		delete(s.since, name)
		return 0
	}
	if !waits {
		first, s.since[name] = at, at
	}
	return need - at.Sub(first)
}

func (s *settling) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, name)
}

// needs is how long a difference has to stand before it is told. What says whether the
// machine can be used is told at once, and so is a service that came and is done with
// starting: people look for it there.
func needs(before, now *v1alpha1.HostStatus) time.Duration {
	was, is := before.GetCondition(apis.ConditionReady), now.GetCondition(apis.ConditionReady)
	switch {
	case was.IsTrue() != is.IsTrue(), was.IsFalse() != is.IsFalse(), was.GetReason() != is.GetReason(), was.GetMessage() != is.GetMessage():
		return 0
	case slices.ContainsFunc(now.Allocations, func(a v1alpha1.HostAllocation) bool {
		return a.State != string(host.Starting) && !slices.ContainsFunc(before.Allocations, func(b v1alpha1.HostAllocation) bool { return samePlace(a, b) })
	}):
		return 0
	case !slices.EqualFunc(before.Allocations, now.Allocations, samePlace):
		return settlesPlace
	case !equality.Semantic.DeepEqual(before.Allocations, now.Allocations), !equality.Semantic.DeepEqual(before.Facts, now.Facts):
		return settlesState
	}
	return 0
}

// samePlace says whether two allocations are one, however the service is.
func samePlace(a, b v1alpha1.HostAllocation) bool {
	a.State, b.State = "", ""
	return equality.Semantic.DeepEqual(a, b)
}
