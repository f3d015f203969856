package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/pace"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/target"
)

// slowTarget is a fake target of which some writes end only when they are let.
type slowTarget struct {
	*fakeTarget
	held map[string]chan struct{} // by object
	seen func()                   // after the world was read, once
}

func (s *slowTarget) Observe(ctx context.Context, scope target.Scope, kinds []schema.GroupVersionKind) (target.State, error) {
	state, err := s.fakeTarget.Observe(ctx, scope, kinds)
	if seen := s.seen; seen != nil {
		s.seen = nil
		seen()
	}
	return state, err
}

func (s *slowTarget) Apply(ctx context.Context, scope target.Scope, o plan.Object, mine bool) error {
	if hold := s.held[o.Key.String()]; hold != nil {
		<-hold
	}
	return s.fakeTarget.Apply(ctx, scope, o, mine)
}

// slowly is a stepper with a target that holds writes; told counts the calls for a step.
type slowly struct {
	*stepper
	engine *engine.Engine
	slow   *slowTarget
	told   chan struct{}
}

func newSlowly(t *testing.T, p *plan.Plan, held ...string) *slowly {
	s := &slowly{stepper: newStepper(p), told: make(chan struct{}, 100)}
	s.slow = &slowTarget{fakeTarget: s.fakeTarget, held: map[string]chan struct{}{}}
	for _, o := range held {
		s.slow.held[o] = make(chan struct{})
	}
	s.engine = &engine.Engine{Target: s.slow, Gate: pace.NewGate(time.Now)}
	s.task.Outbox = s.engine.NewOutbox(t.Context(), func() { s.told <- struct{}{} })
	return s
}

func (s *slowly) next(t *testing.T) (engine.Outcome, error) {
	t.Helper()
	out, err := s.engine.Step(t.Context(), s.task, func() time.Time { return s.world.now })
	s.task.Record = out.Services
	return out, err
}

// letGo ends the write of an object, and waits until all that follows from it has happened.
func (s *slowly) letGo(object string) {
	close(s.slow.held[object])
	synctest.Wait()
}

func (s *slowly) wrote() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := slices.Sorted(slices.Values(s.calls))
	s.calls = nil
	return got
}

func TestASlowWriteHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlowly(t, planOf(t, tiers, service("data", "db", 1), service("data", "cache", 1), service("apps", "api", 1)), "Deployment/db")
		if out, err := s.next(t); err != nil || out.Phase != v1alpha1.PhaseProgressing {
			t.Fatalf("Step() = %s, %v", out.Phase, err)
		}
		want := []string{"apply ConfigMap/api", "apply ConfigMap/cache", "apply ConfigMap/db", "apply Deployment/cache"}
		if diff := cmp.Diff(want, s.wrote()); diff != "" {
			t.Errorf("while one write is slow, calls (-want +got):\n%s", diff)
		}
		if _, err := s.next(t); err != nil || len(s.wrote()) != 0 {
			t.Errorf("a step meanwhile writes something again (%v)", err)
		}
		s.letGo("Deployment/db")
		if diff := cmp.Diff([]string{"apply Deployment/db"}, s.wrote()); diff != "" {
			t.Errorf("then, calls (-want +got):\n%s", diff)
		}
		if len(s.told) != 1 {
			t.Errorf("told %d times that all is done, want once", len(s.told))
		}
	})
}

// What was decided on a world without a write that has arrived since is not sent.
func TestAWriteThatArrivesWhileAStepDecidesIsNotSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlowly(t, planOf(t, tiers, service("data", "db", 1), service("apps", "api", 1)), "Deployment/db")
		if _, err := s.next(t); err != nil {
			t.Fatal(err)
		}
		s.wrote()
		s.slow.seen = func() { s.letGo("Deployment/db") }
		if _, err := s.next(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"apply Deployment/db"}, s.wrote()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if _, err := s.next(t); err != nil || len(s.wrote()) != 0 {
			t.Errorf("the step after that writes something again (%v)", err)
		}
	})
}

func TestALateRefusalIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlowly(t, planOf(t, tiers, service("data", "db", 1)), "Deployment/db")
		s.answers["apply Deployment/db"] = forbidden
		if _, err := s.next(t); err != nil {
			t.Fatalf("Step() failed: %v", err)
		}
		s.letGo("Deployment/db")
		if len(s.told) == 0 {
			t.Error("nobody is told of the refusal")
		}
		out, err := s.next(t)
		if err != nil || out.Phase != v1alpha1.PhaseFailed || class(out.Services[0]) != v1alpha1.CauseForbidden {
			t.Errorf("Step() = %s, %+v, %v", out.Phase, out.Services, err)
		}
	})
}

func TestALatePassingErrorIsReturnedBeforeAnythingIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlowly(t, planOf(t, tiers, service("data", "db", 1)), "Deployment/db")
		s.answers["apply Deployment/db"] = busy
		if _, err := s.next(t); err != nil {
			t.Fatalf("Step() failed: %v", err)
		}
		s.letGo("Deployment/db")
		s.wrote()
		if _, err := s.next(t); !apierrors.IsTooManyRequests(err) || len(s.wrote()) != 0 {
			t.Errorf("Step() = %v, want the error of the write and nothing written", err)
		}
		delete(s.answers, "apply Deployment/db")
		if _, err := s.next(t); err != nil || !slices.Equal(s.wrote(), []string{"apply Deployment/db"}) {
			t.Errorf("the step after that fails or writes something else: %v", err)
		}
	})
}

func TestAWithdrawnOutboxEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlowly(t, planOf(t, tiers, service("data", "db", 1)), "ConfigMap/db")
		if _, err := s.next(t); err != nil {
			t.Fatalf("Step() failed: %v", err)
		}
		if s.task.Outbox.Withdraw() {
			t.Error("an outbox with a write under way is empty")
		}
		s.letGo("ConfigMap/db")
		if len(s.told) == 0 || !s.task.Outbox.Withdraw() {
			t.Errorf("told %d times that it is empty", len(s.told))
		}
	})
}

func TestAnAddressHoldsBackTheGateAndNotTheWorkload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := service("data", "db", 1, func(s *render.Service) { s.Passive = append(s.Passive, object("v1", "Service", "db", 1)) })
		s := newSlowly(t, planOf(t, tiers, db, service("apps", "api", 1)), "Service/db")
		if _, err := s.next(t); err != nil {
			t.Fatalf("Step() failed: %v", err)
		}
		if got := s.wrote(); !slices.Contains(got, "apply Deployment/db") {
			t.Errorf("calls %v, want the workload before its address", got)
		}
		s.world.tick()
		out, err := s.next(t)
		if err != nil || out.Services[0].State == v1alpha1.ServiceReady || strings.Contains(strings.Join(s.wrote(), " "), "Deployment/api") {
			t.Errorf("db is %s without its address, and who waits for it is written (%v)", out.Services[0].State, err)
		}
		s.letGo("Service/db")
		if out, err := s.next(t); err != nil || out.Services[0].State != v1alpha1.ServiceReady {
			t.Errorf("db is %s with its address: %v", out.Services[0].State, err)
		}
	})
}
