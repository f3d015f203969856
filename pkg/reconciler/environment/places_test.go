package environment

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	hostinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host"
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/render"
)

func named(n int) types.NamespacedName {
	return types.NamespacedName{Namespace: "team-a", Name: fmt.Sprint(n)}
}

// Whoever plans at the same time, each machine's only slot has one owner, and all find one.
func TestTwoEnvironmentsNeverGetTheSameSlot(t *testing.T) {
	t.Parallel()
	const many = 20
	p := &places{taken: map[types.NamespacedName]taken{}, freed: func(string) {}}
	var hosts []*v1alpha1.Host
	for i := range many {
		hosts = append(hosts, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Namespace: "pool", Name: fmt.Sprintf("h%02d", i)},
			Spec: v1alpha1.HostSpec{Capacity: v1alpha1.HostCapacity{Slots: ptr.To[int32](1)}}})
	}
	got := make([]string, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			env := named(i)
			for {
				planned, version := p.planned(env, "pool")
				left, _ := render.Places(append([]*v1alpha1.Host(nil), hosts...), &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace, Name: env.Name}}, planned)
				placed, problems := placement.Place(left, []placement.Request{{Service: "db", Instances: 1}})
				if len(problems) > 0 {
					got[i] = problems[0].Error()
					return
				}
				got[i] = placed["db"][0].Name
				machine := types.NamespacedName{Namespace: "pool", Name: got[i]}
				if p.take(env, taken{machine: {{Environment: env.String(), Service: "db"}}}, version) {
					return
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for i, name := range got {
		if seen[name] || len(name) != 3 {
			t.Errorf("environment %d has %s, and others %v", i, name, got)
		}
		seen[name] = true
	}
}

func TestWhatIsGivenBackIsTold(t *testing.T) {
	t.Parallel()
	var freed []string
	p := &places{taken: map[types.NamespacedName]taken{}, freed: func(namespace string) { freed = append(freed, namespace) }}
	one, two := types.NamespacedName{Namespace: "pool", Name: "one"}, types.NamespacedName{Namespace: "spare", Name: "two"}
	db := []v1alpha1.HostAllocation{{Environment: "team-a/1", Service: "db"}}
	if !p.take(named(1), taken{one: db, two: db}, 0) || p.take(named(2), taken{one: db}, 0) {
		t.Error("a plan that was made before another one is taken")
	}
	if !p.take(named(3), nil, 0) {
		t.Error("a plan without machines is refused")
	}
	if diff := cmp.Diff([]string(nil), freed); diff != "" {
		t.Errorf("nothing was given back, and told is %s", diff)
	}
	p.keep(named(1), taken{one: db})
	p.give(named(1))
	p.give(named(1))
	if diff := cmp.Diff([]string{"spare", "pool"}, freed); diff != "" {
		t.Errorf("given back (-want +got):\n%s", diff)
	}
}

// What is planned and not started yet is not there for others, until it is given up.
func TestAPlanHoldsItsPlaces(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.onHost()
	machine := aMachine()
	machine.Spec.Drain, machine.Status.Allocations, machine.Spec.Capacity = false, nil, v1alpha1.HostCapacity{Slots: ptr.To[int32](1)}
	l.must(hostinformer.Get(l.ctx).Informer().GetIndexer().Add(machine))
	other := types.NamespacedName{Namespace: team, Name: "other"}
	l.places.keep(other, taken{{Namespace: team, Name: "db1"}: {{Environment: other.String(), Service: "db"}}})
	l.pass()
	if env := l.env(); env.Status.Phase != v1alpha1.PhaseFailed || !strings.Contains(env.Status.Message, "has no slot free") {
		t.Errorf("it is %s: %s", env.Status.Phase, env.Status.Message)
	}
	l.places.give(other)
	l.pass()
	if env := l.env(); env.Status.Phase == v1alpha1.PhaseFailed {
		t.Errorf("it is %s: %s", env.Status.Phase, env.Status.Message)
	}
	if planned, _ := l.places.planned(other, team); len(planned["db1"]) != 1 {
		t.Errorf("planned is %v", planned)
	}
}
