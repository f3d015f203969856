package engine

import (
	"fmt"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

// tell makes the status of a service from its view, its gate and its hooks.
func (k *walk) tell(n plan.Node, in gate, v view) v1alpha1.ServiceStatus {
	s := v1alpha1.ServiceStatus{Name: n.Service, Group: n.Group, Image: n.Image, URL: n.URL}
	last := k.record[n.Service]
	if last != nil {
		s.StartedAt, s.ReadyAt, s.ProgressAt = last.StartedAt, last.ReadyAt, last.ProgressAt
	}
	if hook, ok := k.views[n.Service]; ok {
		v, in = hook, hook.gate
	}
	k.classify(&s, in, v)
	k.times(&s, last, v)
	return s
}

func (k *walk) classify(s *v1alpha1.ServiceStatus, in gate, v view) {
	switch {
	case v.cause != nil:
		s.State, s.Cause, s.Message = v1alpha1.ServiceFailed, v.cause, v.cause.Message
	case v.settled:
		s.State = v1alpha1.ServiceReady
		k.out.Ready++
	case len(v.missing)+len(v.retry) > 0 && !in.open:
		s.State, s.WaitingFor = v1alpha1.ServiceWaiting, in.holders
		verb := "waits for "
		if in.failed {
			s.State, verb = v1alpha1.ServiceBlocked, "blocked by "
		}
		s.Message = verb + in.names()
	default:
		s.State, s.Message, s.Cause = v1alpha1.ServiceProgressing, v.message, v.trouble
		if s.Message == "" {
			s.Message = "written"
		}
	}
}

// times keeps the clock readings of this run: since when it waits for the service, when
// it last moved, when it was ready. A service that was ready and is not any more starts
// its clocks again. Running out of time is no movement.
func (k *walk) times(s, last *v1alpha1.ServiceStatus, v view) {
	waits := s.State == v1alpha1.ServiceProgressing
	if waits && (s.StartedAt == nil || s.ReadyAt != nil) {
		s.StartedAt, s.ReadyAt = stampOf(k.now), nil
	}
	if last == nil || !v.overdue && (last.State != s.State || last.Message != s.Message) {
		s.ProgressAt = stampOf(k.now)
	}
	if s.State == v1alpha1.ServiceReady && s.ReadyAt == nil && s.StartedAt != nil {
		s.ReadyAt = stampOf(k.now)
	}
	if waits {
		clocks := k.world.clocks(s.Name)
		k.wake(s.ProgressAt.Add(clocks.NoProgress))
		k.wake(s.StartedAt.Add(clocks.Deadline))
	}
}

// conclude says how the environment as a whole is.
func (k *walk) conclude() {
	count := map[v1alpha1.ServiceState]int{}
	for _, s := range k.out.Services {
		count[s.State]++
	}
	d := &k.out
	switch {
	case count[v1alpha1.ServiceProgressing] > 0 || len(d.Passive)+len(d.Apply)+len(d.Delete) > 0:
		d.Phase = v1alpha1.PhaseProgressing
		d.Message = k.progress(count)
	case k.open == len(k.plan.Nodes):
		d.Phase = v1alpha1.PhaseReady
		d.Message = fmt.Sprintf("%s ready", services(len(d.Services)))
	default:
		d.Phase = v1alpha1.PhaseFailed
		d.Message = failure(d.Services)
	}
}

func (k *walk) progress(count map[v1alpha1.ServiceState]int) string {
	message := fmt.Sprintf("%d of %s ready", k.out.Ready, services(len(k.out.Services)))
	if first := k.first(v1alpha1.ServiceFailed); first != nil {
		return message + "; " + first.Name + " failed: " + first.Message
	}
	if first := k.first(v1alpha1.ServiceProgressing); first != nil {
		message += "; " + first.Name + ": " + first.Message
	}
	if n := count[v1alpha1.ServiceProgressing]; n > 1 {
		message += fmt.Sprintf(" (and %d more on their way)", n-1)
	}
	return message
}

// failure says in a sentence why an environment failed: the first cause, and how many
// other services it concerns.
func failure(all []v1alpha1.ServiceStatus) string {
	first := firstOf(all, v1alpha1.ServiceFailed)
	if first == nil {
		return "nothing can be written and nothing has failed: this is a defect of the engine"
	}
	count := map[v1alpha1.ServiceState]int{}
	for i := range all {
		count[all[i].State]++
	}
	message := fmt.Sprintf("service %s failed: %s: %s", first.Name, first.Cause.Class, first.Cause.Sentence())
	if n := count[v1alpha1.ServiceFailed]; n > 1 {
		message += fmt.Sprintf("; %s failed in all", services(n))
	}
	if n := count[v1alpha1.ServiceBlocked]; n > 0 {
		message += fmt.Sprintf("; %s blocked by it", services(n))
	}
	return message
}

func (k *walk) first(state v1alpha1.ServiceState) *v1alpha1.ServiceStatus {
	return firstOf(k.out.Services, state)
}

func firstOf(all []v1alpha1.ServiceStatus, state v1alpha1.ServiceState) *v1alpha1.ServiceStatus {
	for i := range all {
		if all[i].State == state {
			return &all[i]
		}
	}
	return nil
}

func services(n int) string {
	if n == 1 {
		return "1 service"
	}
	return fmt.Sprintf("%d services", n)
}
