package host

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/unit"
)

// A step that fails again and again is tried every thirty seconds, and at once when its machine
// is connected anew.
func TestAMachineThatIsBackIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fleet := NewFleet(t.Context())
		began := time.Now()
		var tried []time.Duration // in seconds
		door := Door{Image: func(context.Context, target.Scope, unit.Instance, string) (v1.Image, error) {
			tried = append(tried, time.Since(began)/time.Second)
			return nil, errors.New("no such image")
		}}
		name := types.NamespacedName{Namespace: "team-a", Name: "db1"}
		m := &machine{name: name, changed: func() { fleet.tell(name) }, stop: func() {}}
		fleet.machines[name] = m
		on := New(t.Context(), fleet, door, func() int64 { return 1 }, func(types.NamespacedName) {})
		connect := func() {
			m.use(&Conn{login: Login{Name: name.Name}, done: make(chan struct{})})
			m.see(func(s *Sight) { s.Connected, s.Failure = true, nil })
		}
		connect()
		on.start(&job{id: "web", machine: name, want: unit.Instance{Image: "registry.example.com/web:1"}})

		time.Sleep(40 * time.Second)
		m.see(func(s *Sight) { s.Services = map[string]Told{"other": {}} }) // what moves on the machine is no reason
		time.Sleep(2 * time.Second)
		m.lose(&Failure{Class: Unreachable, Host: name.Name})
		time.Sleep(3 * time.Second)
		connect()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]time.Duration{0, 1, 6, 36, 45, 46}, tried); diff != "" {
			t.Errorf("tried at (-want +got):\n%s", diff)
		}
	})
}

// A machine that has lost what ran there tells of no environment: those that it told of before
// are reported.
func TestAnEnvironmentHearsThatItsMachineIsEmpty(t *testing.T) {
	t.Parallel()
	fleet := NewFleet(t.Context())
	var told []types.NamespacedName
	New(t.Context(), fleet, Door{}, func() int64 { return 1 }, func(env types.NamespacedName) { told = append(told, env) })
	name := types.NamespacedName{Namespace: "team-a", Name: "db1"}
	m := &machine{name: name, changed: func() { fleet.tell(name) }, stop: func() {}}
	fleet.machines[name] = m
	labels := map[string]string{v1alpha1.LabelEnvironment: "shop", v1alpha1.LabelEnvironmentNamespace: "team-a"}
	m.see(func(s *Sight) {
		*s = Sight{Connected: true, Services: map[string]Told{"web": {Record: Record{Labels: labels}}}}
	})
	m.see(func(s *Sight) { *s = Sight{Connected: true} })
	m.see(func(s *Sight) { *s = Sight{Connected: true} })
	shop := types.NamespacedName{Namespace: "team-a", Name: "shop"}
	if diff := cmp.Diff([]types.NamespacedName{shop, shop}, told); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}
