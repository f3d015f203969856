package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
)

// Drift is an object that is not as we wrote it, because somebody else has changed or
// deleted it.
type Drift struct {
	plan.Key
	// Service it belongs to.
	Service string
	// Fields that have another value; none when the object was deleted.
	Fields []string
	// By is who owns some of the fields now, as the API server knows them.
	By string
	// Stays says why it is left so; empty when it is healed.
	Stays string
	// Healing says that this decision writes it as it should be.
	Healing bool
}

// fieldsTold is how many fields of an object are named.
const fieldsTold = 4

// String names object and fields, without values: they may be nobody's business.
func (d Drift) String() string {
	if len(d.Fields) == 0 {
		return d.Key.String() + " was deleted"
	}
	fields := strings.Join(d.Fields[:min(len(d.Fields), fieldsTold)], ", ")
	if more := len(d.Fields) - fieldsTold; more > 0 {
		fields += fmt.Sprintf(" and %d more", more)
	}
	if d.By != "" {
		return fmt.Sprintf("%s: %s was changed by %s", d.Key, fields, d.By)
	}
	return fmt.Sprintf("%s: %s was changed", d.Key, fields)
}

// Heals are how often an object was healed, and when last.
type Heals struct {
	Count int
	At    time.Time
}

const (
	// firstPause is between the first and the second time an object is healed; each one
	// after it is twice as long, up to lastPause: who changes it again and again is told,
	// not fought.
	firstPause = 10 * time.Second
	lastPause  = 10 * time.Minute
	// forgiven is after how long without a heal the count begins anew.
	forgiven = time.Hour
)

// due is when an object may be healed again.
func (h Heals) due() time.Time {
	if h.Count == 0 {
		return time.Time{}
	}
	pause := lastPause
	if h.Count < 8 {
		pause = min(firstPause<<(h.Count-1), lastPause)
	}
	return h.At.Add(pause)
}

// after is the count once an object has been healed again.
func (h Heals) after(now time.Time) Heals {
	if now.Sub(h.At) >= forgiven {
		h.Count = 0
	}
	return Heals{Count: h.Count + 1, At: now}
}

// Compared remembers, by object, what was found in its present version, so that an object
// that did not move is not compared again. Nothing depends on it but time.
type Compared map[plan.Key]compared

type compared struct {
	version, hash string
	scaled        bool // by an autoscaler of the environment
	difference
}

// heals looks for drift in an object that carries our hash, and says whether it is to be
// written again.
func (k *walk) heals(o plan.Object) bool {
	if k.world.Drift == v1alpha1.DriftIgnore {
		return false
	}
	live := k.world.State.Objects[o.Key]
	found := k.compare(o, live)
	if len(found.fields) == 0 {
		return false
	}
	return k.drifts(o, Drift{Key: o.Key, Service: o.Service, Fields: found.fields, By: found.by})
}

func (k *walk) compare(o plan.Object, live *unstructured.Unstructured) difference {
	known, ok := k.world.Compared[o.Key]
	now := compared{version: live.GetResourceVersion(), hash: o.Hash, scaled: k.scaled[scaleTarget{o.Kind, o.Name}]}
	if ok && now.version != "" && known.version == now.version && known.hash == now.hash && known.scaled == now.scaled {
		return known.difference
	}
	scaled := k.isScaled(o, live)
	now.difference = changed(o.Desired, live, func(path string) bool { return scaled && path == replicasPath })
	if k.world.Compared != nil {
		k.world.Compared[o.Key] = now
	}
	return now.difference
}

// deleted says whether an object that is not there was deleted by somebody else, and
// stays so: once the run has brought its service up, nothing of it is missing by itself.
func (k *walk) deleted(o plan.Object) bool {
	if k.world.State.Objects[o.Key] != nil || !k.world.Up[o.Service] {
		return false
	}
	return !k.drifts(o, Drift{Key: o.Key, Service: o.Service})
}

// drifts keeps a drift, and says whether it is healed now.
func (k *walk) drifts(o plan.Object, d Drift) bool {
	heals := k.world.Heals[o.Key]
	due := heals.due()
	refusal, refused := k.refusal(o)
	switch {
	case k.world.Drift == v1alpha1.DriftWarn:
		d.Stays = "drift is Warn"
	case k.world.Drift == v1alpha1.DriftIgnore:
		d.Stays = "drift is Ignore"
	case refused && len(d.Fields) > 0:
		d.Stays = "writing it as it should be was refused: " + refusal.Cause.Message
	case k.now.Before(due):
		k.wake(due)
		d.Stays = fmt.Sprintf("it was healed %s; the next try is at %s", times(heals.Count), due.UTC().Format(time.RFC3339))
	}
	if d.Stays != "" || k.halted == "" { // who starts nothing new heals nothing either
		k.out.Drift = append(k.out.Drift, d)
	}
	return d.Stays == "" && (k.halted == "" || len(d.Fields) == 0)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// goneCause is why a service fails of which an object was deleted that is not put back.
func (k *walk) goneCause(o plan.Object) *v1alpha1.Cause {
	d := k.out.Drift[len(k.out.Drift)-1]
	hint := "find out who deletes it: the audit log of the cluster tells"
	if k.world.Drift == v1alpha1.DriftWarn || k.world.Drift == v1alpha1.DriftIgnore {
		hint = "set another run.attempt to have it written by a new run, or set spec.drift to Heal"
	}
	return &v1alpha1.Cause{
		Class: v1alpha1.CauseDrifted, Object: o.Key.String(), Hint: hint,
		Message: fmt.Sprintf("%s and is not put back: %s", d, d.Stays),
	}
}

// markHealing says which drifts this decision heals.
func (k *walk) markHealing() {
	writes := map[plan.Key]bool{}
	for _, o := range slices.Concat(k.out.Passive, k.out.Apply) {
		writes[o.Key] = true
	}
	for i := range k.out.Drift {
		d := &k.out.Drift[i]
		d.Healing = writes[d.Key]
		if !d.Healing && d.Stays == "" {
			d.Stays = "its service waits"
		}
	}
	if k.world.Drift == v1alpha1.DriftIgnore {
		k.out.Drift = nil
	}
}

// heal counts what was healed, or what could not be and may not be tried at once again,
// and returns what was.
func (t *Task) heal(s sent, now time.Time) []Drift {
	var healed []Drift
	for _, d := range s.drift {
		if t.Heals != nil {
			t.Heals[d.Key] = t.Heals[d.Key].after(now)
		}
		if s.written[d.Key] {
			healed = append(healed, d)
		}
	}
	return healed
}
