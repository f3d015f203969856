package engine_test

import (
	"fmt"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// wide is a product of three tiers; each service needs two of the tier before.
func wide(t testing.TB, services int) *plan.Plan {
	t.Helper()
	var all []render.Service
	for i := range services {
		tier, per := i*len(tiers)/services, services/len(tiers)
		s := service(tiers[tier], fmt.Sprintf("s%d", i), 1)
		if tier > 0 {
			needs(all[i-per].Name, all[(tier-1)*per].Name)(&s)
		}
		all = append(all, s)
	}
	return product{order: v1alpha1.OrderGroups, groups: tiers, services: all}.plan(t)
}

// worlds are the moments of a rollout that differ in what there is to look at.
func worlds(p *plan.Plan) map[string]engine.World {
	at := func(seconds int) engine.World {
		w := newFakeWorld(nil)
		w.run(p, seconds)
		return w.world()
	}
	return map[string]engine.World{"nothing is there": at(0), "it is on its way": at(1), "all is ready": at(9)}
}

// A decision takes five times as much for five times as many services, not twenty-five.
func TestDecideGrowsWithTheServicesOnly(t *testing.T) {
	small, large := wide(t, 102), wide(t, 510)
	less := worlds(small)
	for name, world := range worlds(large) {
		few := testing.AllocsPerRun(3, func() { engine.Decide(small, less[name], began) })
		many := testing.AllocsPerRun(3, func() { engine.Decide(large, world, began) })
		if many > 7*few {
			t.Errorf("%s: %.0f allocations for 102 services, %.0f for 510", name, few, many)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p := wide(b, 510)
	for name, world := range worlds(p) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				engine.Decide(p, world, began)
			}
		})
	}
}
