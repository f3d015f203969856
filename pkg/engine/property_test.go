package engine_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// patience is how many ticks any walk of these tests may take.
const patience = 1500

// walker walks a plan in a fake world and checks, at every step, what must always hold.
type walker struct {
	t     *rapid.T
	w     *fakeWorld
	plan  *plan.Plan
	first map[string][]plan.Object // by node: the objects of all nodes it comes after, which must be ready
	begun map[string][]plan.Object // by node: the objects that must be written
	// forget is asked before each step whether the controller has been restarted.
	forget func() bool
	told   []v1alpha1.ServiceStatus
}

func newWalker(t *rapid.T, w *fakeWorld, p *plan.Plan) *walker {
	k := &walker{t: t, w: w, forget: func() bool { return false }}
	k.follow(p)
	return k
}

// follow changes the plan.
func (k *walker) follow(p *plan.Plan) {
	k.plan, k.first, k.begun = p, map[string][]plan.Object{}, map[string][]plan.Object{}
	objects := map[string][]plan.Object{}
	for _, n := range p.Nodes {
		objects[n.Name] = n.Objects
		for _, name := range n.After {
			if slices.Contains(n.Started, name) {
				k.begun[n.Name] = append(k.begun[n.Name], objects[name]...)
				continue
			}
			k.first[n.Name] = append(k.first[n.Name], k.first[name]...)
			k.first[n.Name] = append(k.first[n.Name], objects[name]...)
		}
	}
}

// step decides and acts once.
func (k *walker) step() engine.Decision {
	if k.forget() {
		k.w.record, k.w.refused = k.told, map[plan.Key]engine.Refusal{}
	}
	d := k.w.decide(k.plan)
	if again := k.w.decide(k.plan); !reflect.DeepEqual(d, again) {
		k.t.Fatalf("two decisions on the same world differ:\n%s", cmp.Diff(d, again))
	}
	k.checkWrites(d)
	k.checkOrder(d)
	if rapid.Bool().Draw(k.t, "the status is written") {
		k.told = d.Services
	}
	k.w.act(d)
	return d
}

func (k *walker) checkWrites(d engine.Decision) {
	for _, o := range slices.Concat(d.Passive, d.Apply) {
		if k.w.hash(o.Key) == o.Hash {
			k.t.Fatalf("%s is written although it is as wanted", o.Key)
		}
		if live := k.w.objects[o.Key]; live != nil && live.GetDeletionTimestamp() != nil {
			k.t.Fatalf("%s is written although the old one is still going", o.Key)
		}
	}
}

func (k *walker) checkOrder(d engine.Decision) {
	node := map[plan.Key]string{}
	for _, n := range k.plan.Nodes {
		for _, o := range n.Objects {
			node[o.Key] = n.Name
		}
	}
	for _, o := range d.Apply {
		for _, before := range k.first[node[o.Key]] {
			if k.w.hash(before.Key) != before.Hash || !k.w.isReady(before.Key) {
				k.t.Fatalf("%s of node %s is written before %s is ready as wanted", o.Key, node[o.Key], before.Key)
			}
		}
		for _, before := range k.begun[node[o.Key]] {
			if k.w.hash(before.Key) != before.Hash {
				k.t.Fatalf("%s of node %s is written before %s is written as wanted", o.Key, node[o.Key], before.Key)
			}
		}
	}
}

// finish walks until there is nothing left to do.
func (k *walker) finish() engine.Decision {
	for range patience {
		d := k.step()
		if d.Idle() && d.Phase != v1alpha1.PhaseProgressing && k.still() {
			return d
		}
		k.w.tick()
	}
	d := k.w.decide(k.plan)
	k.t.Fatalf("after %d steps still %s: %s\n%+v", patience, d.Phase, d.Message, d.Services)
	return d
}

// still says that nothing is on its way out.
func (k *walker) still() bool {
	for _, o := range k.w.objects {
		if o.GetDeletionTimestamp() != nil {
			return false
		}
	}
	return true
}

// reach walks to Ready and checks that then nothing is left to do.
func (k *walker) reach() {
	d := k.finish()
	if d.Phase != v1alpha1.PhaseReady || d.Ready != len(d.Services) {
		k.t.Fatalf("ended %s (%d ready): %s", d.Phase, d.Ready, d.Message)
	}
	writes := k.w.writes
	k.w.tick()
	if again := k.step(); !again.Idle() || again.Phase != v1alpha1.PhaseReady || k.w.writes != writes {
		k.t.Fatalf("a repeated decision on a ready world writes: %+v", again)
	}
	k.checkLeft()
}

// checkLeft compares what is there with what the plan wants. Volumes stay.
func (k *walker) checkLeft() {
	want := map[plan.Key]string{}
	for _, o := range objectsOf(k.plan) {
		want[o.Key] = o.Hash
	}
	for key := range k.w.objects {
		if key.Kind != "PersistentVolumeClaim" && want[key] == "" {
			k.t.Fatalf("%s is left over", key)
		}
	}
	for key, hash := range want {
		if k.w.hash(key) != hash {
			k.t.Fatalf("%s is not there as wanted", key)
		}
	}
}

// restarts lets the controller lose its memory a few times.
func restarts(t *rapid.T) func() bool {
	steps := rapid.SliceOfN(rapid.IntRange(0, 60), 0, 4).Draw(t, "restarts before steps")
	n := 0
	return func() bool {
		n++
		return slices.Contains(steps, n-1)
	}
}

func TestAWalkIsInOrderAndEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		made, behaves := p.plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, made, comes)
		k := newWalker(t, newFakeWorld(behaves), made)
		k.forget = restarts(t)
		k.reach()
		if want := len(objectsOf(made)); k.w.writes != want {
			t.Fatalf("%d writes for %d objects", k.w.writes, want)
		}
	})
}

// A status of the version before looks ready: it must not open a gate for the next one.
func TestAnUpdateOfEverythingIsInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		first, second, behaves := p.plan(t), everyRevision(p, 2).plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, first, comes)
		drawBehaviours(t, behaves, second, comes)
		k := newWalker(t, newFakeWorld(behaves), first)
		k.reach()
		k.follow(second)
		k.w.scope.Run, k.w.record, k.told = "shop-2", nil, nil
		k.forget = restarts(t)
		k.reach()
	})
}

// Whatever the world was doing for one plan, another can take over.
func TestAnotherPlanTakesOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		first, second, behaves := p.plan(t), drawRevision(t, p).plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, second, comes)
		fates := []fate{comes}
		if rapid.Bool().Draw(t, "the first plan has failures") {
			fates = append(fates, comes, never, breaks, refused)
		}
		drawBehaviours(t, behaves, first, fates...)
		k := newWalker(t, newFakeWorld(behaves), first)
		for range rapid.IntRange(0, 40).Draw(t, "steps of the first plan") {
			k.step()
			k.w.tick()
		}
		k.heal()
		there := maps.Clone(k.w.objects)
		k.follow(second)
		k.w.scope.Run, k.w.record, k.told = "shop-2", nil, nil
		k.w.refused = map[plan.Key]engine.Refusal{}
		k.reach()
		for _, o := range objectsOf(second) {
			before, now := there[o.Key], k.w.objects[o.Key]
			kept := before != nil && before.GetAnnotations()[v1alpha1.AnnotationHash] == o.Hash && before.GetDeletionTimestamp() == nil
			if kept && o.Kind != "Job" && now.GetGeneration() != before.GetGeneration() {
				t.Fatalf("%s did not change and was written again", o.Key)
			}
		}
	})
}

// heal lets everything come from now on, and lets the statuses say so.
func (k *walker) heal() {
	for key, b := range k.w.behaves {
		b.fate = comes
		k.w.behaves[key] = b
	}
	k.w.tick()
}

func TestFailuresEndAndBlockOnlyWhatNeedsThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		made, behaves := p.plan(t), map[plan.Key]behaviour{}
		drawBehaviours(t, behaves, made, comes, comes, comes, comes, comes, never, breaks, refused)
		k := newWalker(t, newFakeWorld(behaves), made)
		k.forget = restarts(t)
		d := k.finish()
		got, want := map[string]v1alpha1.ServiceState{}, expected(made, behaves)
		for _, s := range d.Services {
			got[s.Name] = s.State
			checkStory(t, s, want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("states (-want +got):\n%s", diff)
		}
		failed := slices.Contains(slices.Collect(maps.Values(want)), v1alpha1.ServiceFailed)
		if failed != (d.Phase == v1alpha1.PhaseFailed) {
			t.Fatalf("ended %s: %s", d.Phase, d.Message)
		}
		k.forget = func() bool { return false }
		k.w.tick()
		if again := k.step(); again.Phase != d.Phase || !again.Idle() || again.Message != d.Message {
			t.Fatalf("ended %s (%s), and a step later %s (%s)", d.Phase, d.Message, again.Phase, again.Message)
		}
	})
}

// expected says from the fates alone how each service must end.
func expected(p *plan.Plan, behaves map[plan.Key]behaviour) map[string]v1alpha1.ServiceState {
	bad := func(objects []plan.Object) bool {
		return slices.ContainsFunc(objects, func(o plan.Object) bool { return behaves[o.Key].fate != comes })
	}
	refusedPassive := map[string]bool{}
	for _, o := range p.Passive {
		if behaves[o.Key].fate == refused {
			refusedPassive[o.Service] = true
		}
	}
	unwritten := func(objects []plan.Object) bool {
		return slices.ContainsFunc(objects, func(o plan.Object) bool { return behaves[o.Key].fate == refused })
	}
	states, shut, never := map[string]v1alpha1.ServiceState{}, map[string]bool{}, map[string]bool{}
	for _, n := range p.Nodes {
		blocked := slices.ContainsFunc(n.After, func(name string) bool {
			if slices.Contains(n.Started, name) {
				return never[name]
			}
			return shut[name]
		})
		never[n.Name] = blocked || refusedPassive[n.Service] || unwritten(n.Objects)
		failed := n.Kind != plan.Join && (refusedPassive[n.Service] || !blocked && bad(n.Objects))
		shut[n.Name] = blocked || failed
		switch {
		case n.Kind == plan.Join || states[n.Service] == v1alpha1.ServiceFailed:
		case failed:
			states[n.Service] = v1alpha1.ServiceFailed
		case blocked:
			states[n.Service] = v1alpha1.ServiceBlocked
		default:
			states[n.Service] = v1alpha1.ServiceReady
		}
	}
	return states
}

// checkStory checks that a state comes with what explains it.
func checkStory(t *rapid.T, s v1alpha1.ServiceStatus, want map[string]v1alpha1.ServiceState) {
	switch s.State {
	case v1alpha1.ServiceFailed:
		if s.Cause == nil || s.Cause.Class == "" || s.Cause.Hint == "" {
			t.Fatalf("service %s failed without a cause: %+v", s.Name, s)
		}
	case v1alpha1.ServiceBlocked:
		if len(s.WaitingFor) == 0 {
			t.Fatalf("service %s is blocked by nothing", s.Name)
		}
		for _, by := range s.WaitingFor {
			if want[by] != v1alpha1.ServiceFailed {
				t.Fatalf("service %s is blocked by %s, which is %s", s.Name, by, want[by])
			}
		}
	}
}
