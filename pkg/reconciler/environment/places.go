package environment

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/unit"
)

// places are what the plans of all environments have taken of machines, from when they are
// made: between a plan and the first thing that a machine tells of it others plan, too. It
// is safe for concurrent use. A controller that has just begun knows no plan; each is taken
// when it is made again, before anything of it is written.
type places struct {
	mu      sync.Mutex
	version int
	taken   map[types.NamespacedName]taken // by environment
	// freed is called with the namespaces of machines of which something was given back.
	freed func(namespace string)
}

// taken is what an environment has, by machine.
type taken map[types.NamespacedName][]v1alpha1.HostAllocation

// planned is what others than an environment have planned for the machines of a namespace,
// and as of which version.
func (p *places) planned(but types.NamespacedName, namespace string) (render.Taken, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := render.Taken{}
	for env, has := range p.taken {
		if env == but {
			continue
		}
		for machine, allocations := range has {
			if machine.Namespace == namespace {
				all[machine.Name] = append(all[machine.Name], allocations...)
			}
		}
	}
	return all, p.version
}

// take notes what a plan has. It refuses one that was made without knowing of others that
// were made meanwhile.
func (p *places) take(env types.NamespacedName, has taken, version int) bool {
	p.mu.Lock()
	if len(has) > 0 && version != p.version {
		p.mu.Unlock()
		return false
	}
	p.replace(env, has)
	return true
}

// keep notes what an environment has, whatever others have.
func (p *places) keep(env types.NamespacedName, has taken) {
	p.mu.Lock()
	p.replace(env, has)
}

// replace notes what an environment has, and unlocks.
func (p *places) replace(env types.NamespacedName, has taken) {
	before := p.taken[env]
	delete(p.taken, env)
	if len(has) > 0 {
		p.taken[env] = has
	}
	if !reflect.DeepEqual(has, before) && len(has)+len(before) > 0 {
		p.version++
	}
	p.mu.Unlock()
	given := map[string]bool{}
	for machine := range before {
		if len(has[machine]) < len(before[machine]) && !given[machine.Namespace] {
			given[machine.Namespace] = true
			p.freed(machine.Namespace)
		}
	}
}

// give gives back what an environment has.
func (p *places) give(env types.NamespacedName) { p.keep(env, nil) }

// takenBy is what a plan takes.
func takenBy(env types.NamespacedName, made *plan.Plan) (taken, error) {
	has := taken{}
	for i := range made.Nodes {
		for j := range made.Nodes[i].Objects {
			o := &made.Nodes[i].Objects[j]
			if o.Kind != v1alpha1.KindHostService {
				continue
			}
			raw, err := json.Marshal(o.Desired.Object["spec"])
			var want unit.Instance
			if err == nil {
				err = json.Unmarshal(raw, &want)
			}
			if err != nil {
				return nil, fmt.Errorf("read %s of the plan: %w", o.Key, err)
			}
			machine := types.NamespacedName{Namespace: want.HostNamespace, Name: want.Host}
			if machine.Namespace == "" {
				machine.Namespace = env.Namespace
			}
			has[machine] = append(has[machine], allocation(env, o.Service, want))
		}
	}
	return has, nil
}

func allocation(env types.NamespacedName, service string, want unit.Instance) v1alpha1.HostAllocation {
	a := v1alpha1.HostAllocation{Environment: env.String(), Service: service, Ports: want.Ports}
	if want.Limits.CPU > 0 {
		a.CPU = resource.NewMilliQuantity(want.Limits.CPU, resource.DecimalSI)
	}
	if want.Limits.Memory > 0 {
		a.Memory = resource.NewQuantity(want.Limits.Memory, resource.BinarySI)
	}
	return a
}
