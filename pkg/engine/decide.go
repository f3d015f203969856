package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// Decide says what to do next to bring the world to the plan. It is pure: the same
// plan, world and time give the same decision.
func Decide(p *plan.Plan, w World, now time.Time) Decision {
	d := pass(p, w, now, "")
	failed := firstOf(d.Services, v1alpha1.ServiceFailed)
	if !w.Stop || failed == nil || d.Idle() {
		return d
	}
	return pass(p, w, now, failed.Name)
}

// pass goes over the nodes once. Unless halted is empty, nothing new starts, for that
// service has failed.
func pass(p *plan.Plan, w World, now time.Time, halted string) Decision {
	k := walk{
		plan: p, world: w, now: now, halted: halted,
		record: map[string]*v1alpha1.ServiceStatus{},
		gates:  make(map[string]gate, len(p.Nodes)),
		views:  map[string]view{},
		bad:    map[string]v1alpha1.Cause{},
		going:  map[string]plan.Key{},
		unsent: map[string]plan.Key{},

		earlier: map[string][]Deletion{},
		scaled:  map[scaleTarget]bool{},
	}
	k.out.Evidence = map[string]health.Evidence{}
	for i := range w.Record {
		k.record[w.Record[i].Name] = &w.Record[i]
	}
	k.findEarlier()
	k.findScaled()
	k.passive()
	for _, n := range p.Nodes {
		k.visit(n)
	}
	k.out.Passive, k.out.Apply = k.keepScale(k.out.Passive), k.keepScale(k.urgentFirst())
	k.markHealing()
	k.conclude()
	k.prune()
	return k.out
}

// walk is one pass over the nodes of a plan.
type walk struct {
	plan   *plan.Plan
	world  World
	now    time.Time
	halted string // the failed service because of which nothing new starts
	record map[string]*v1alpha1.ServiceStatus
	gates  map[string]gate           // by node
	views  map[string]view           // of the hooks of the service at hand, by service
	bad    map[string]v1alpha1.Cause // services with a passive object that was refused
	going  map[string]plan.Key       // services with a passive object that must go before it is written
	unsent map[string]plan.Key       // services with a passive object that is to be written
	open   int                       // gates that are open
	ready  []ready                   // what may be written, in plan order
	out    Decision

	earlier map[string][]Deletion // jobs of earlier plans that still run, by node
	scaled  map[scaleTarget]bool  // what autoscalers of the environment scale
}

// passive decides on the objects that gate nothing: all tiers at once.
func (k *walk) passive() {
	for _, o := range k.plan.Passive {
		if k.matches(o) && !k.heals(o) || k.deleted(o) {
			continue
		}
		if r, ok := k.refusal(o); ok {
			k.bad[o.Service] = r.Cause
			continue
		}
		if live := k.world.State.Objects[o.Key]; live != nil && live.GetDeletionTimestamp() != nil {
			k.going[o.Service] = o.Key
			continue
		}
		if k.halted == "" {
			k.unsent[o.Service] = o.Key
			k.out.Passive = append(k.out.Passive, o)
		}
	}
}

// visit decides on one node. All nodes it comes after have been visited.
func (k *walk) visit(n plan.Node) {
	in := k.incoming(n)
	if n.Kind == plan.Join {
		k.set(n.Name, k.joined(n, in))
		return
	}
	v := k.look(n)
	if k.halted != "" && len(v.missing)+len(v.retry) > 0 {
		in = gate{failed: true, holders: []string{k.halted}}
	}
	if in.open && v.cause == nil {
		if len(v.missing) > 0 {
			k.ready = append(k.ready, ready{rank: k.world.Ranks[n.Name], objects: v.missing})
		}
		k.out.Delete = append(k.out.Delete, v.retry...)
	}
	k.set(n.Name, k.outgoing(n, in, v))
	if n.Kind == plan.Hook {
		k.rememberHook(n, in, v)
		return
	}
	k.out.Services = append(k.out.Services, k.tell(n, in, v))
}

// ready are objects of one node that may be written.
type ready struct {
	rank    time.Duration
	objects []plan.Object
}

// urgentFirst puts what holds up most of the plan before the rest: writes begin in this
// order, and not all at once. Equals keep the order of the plan.
func (k *walk) urgentFirst() []plan.Object {
	slices.SortStableFunc(k.ready, func(a, b ready) int { return cmp.Compare(b.rank, a.rank) })
	var objects []plan.Object
	for _, r := range k.ready {
		objects = append(objects, r.objects...)
	}
	return objects
}

// rememberHook keeps what a service must tell of its hooks: the first one that is not
// done.
func (k *walk) rememberHook(n plan.Node, in gate, v view) {
	if _, seen := k.views[n.Service]; seen || v.settled {
		return
	}
	v.message = "hook " + n.Name + ": " + cmp.Or(v.message, "written")
	v.gate = in
	k.views[n.Service] = v
}

// matches says whether the object there is what we want, by our own hash.
func (k *walk) matches(o plan.Object) bool {
	live := k.world.State.Objects[o.Key]
	return live != nil && live.GetDeletionTimestamp() == nil &&
		target.Annotation(live, v1alpha1.AnnotationHash) == o.Hash &&
		target.Owned(k.world.Scope, live)
}

func (k *walk) refusal(o plan.Object) (Refusal, bool) {
	r, ok := k.world.Refused[o.Key]
	return r, ok && r.Hash == o.Hash
}

// keep are kinds whose deletion loses data: they go with the environment only.
var keep = schema.GroupKind{Kind: "PersistentVolumeClaim"}

// prune deletes what a plan wrote and no longer wants, once all is ready: a config that
// the old pods still read must not go before them. What belongs to the environment and
// was not written by a plan, such as its generated secrets, has no hash.
func (k *walk) prune() {
	if k.out.Phase != v1alpha1.PhaseReady {
		return
	}
	for key, live := range k.world.State.Objects {
		written := target.Annotation(live, v1alpha1.AnnotationHash) != "" && target.Owned(k.world.Scope, live)
		if !written || k.plan.Wants(key) || key.GroupKind() == keep || live.GetDeletionTimestamp() != nil {
			continue
		}
		k.out.Delete = append(k.out.Delete, Deletion{Key: key, UID: live.GetUID()})
	}
	slices.SortFunc(k.out.Delete, inOrder)
}

// inOrder makes a decision the same whatever order a map gives.
func inOrder(a, b Deletion) int {
	return cmp.Or(strings.Compare(a.Key.String(), b.Key.String()), strings.Compare(a.GroupVersionKind.String(), b.GroupVersionKind.String()))
}

func (k *walk) wake(at time.Time) {
	if at.After(k.now) && (k.out.Wake.IsZero() || at.Before(k.out.Wake)) {
		k.out.Wake = at
	}
}

// stampOf is a time as precise as the API stores it: what is remembered and what is read
// back are the same, and not a reason to write.
func stampOf(t time.Time) *metav1.MicroTime {
	m := metav1.NewMicroTime(t.Truncate(time.Microsecond))
	return &m
}
