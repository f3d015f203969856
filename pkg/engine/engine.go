// Package engine brings an environment to its plan, one step at a time.
//
// A step reads the world from watches, decides what to do with pure functions
// (Decide, Dismantle), acts through target.Target and tells what it saw. It never
// waits: whatever it waits for ends in an event, and an event is the next step. A
// step after a restart is like any other, for the state is in the world: what an
// object should be is in its hash annotation, written with its spec.
//
//	Waiting ──gate opens──> Progressing ──ready at our generation──> Ready
//	   │                        │  ▲                                   │
//	   │ a need failed          ▼  │ it recovers                       │ it breaks
//	   └──> Blocked          Failed <──────────────────────────────────┘
package engine

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// World is what a decision depends on besides the plan.
type World struct {
	// State of the target.
	State target.State
	// Scope of the environment.
	Scope target.Scope
	// Record is the state of the services as last told, in this run.
	Record []v1alpha1.ServiceStatus
	// Refused are writes that the target refused, by key.
	Refused map[plan.Key]Refusal
	// Clocks of a service that has none of its own in OwnClocks.
	Clocks    Clocks
	OwnClocks map[string]Clocks
	// Ranks tell, by node, what is urgent: of what may be written, the highest goes first.
	Ranks map[string]time.Duration
	// Stop says that nothing new starts once a service has failed.
	Stop bool
	// Drift is what is done about objects that somebody else has changed or deleted; Heal
	// when empty.
	Drift v1alpha1.DriftPolicy
	// Up are the services that a run which has ended has brought up: what is missing of
	// them was deleted.
	Up map[string]bool
	// Heals are those so far, by object.
	Heals map[plan.Key]Heals
	// Compared may be nil.
	Compared Compared
	// Since is when the run began, by the clock of the target: what it wrote is not told
	// by pods that are older.
	Since time.Time
}

// Refusal is a write that was refused for a reason that a retry does not change.
type Refusal struct {
	// Hash of the object that was refused: another one may be tried at once.
	Hash string
	// Cause of the refusal.
	Cause v1alpha1.Cause
}

// Clocks are the longest times a service may take.
type Clocks struct {
	// NoProgress is the longest time without any change.
	NoProgress time.Duration
	// Deadline is the longest time from the first write to ready.
	Deadline time.Duration
}

// clocks are those of a service.
func (w *World) clocks(service string) Clocks {
	if own, ok := w.OwnClocks[service]; ok {
		return own
	}
	return w.Clocks
}

// Decision is what to do, and what to tell.
type Decision struct {
	// Passive and Apply are the objects to write now, passive ones first.
	Passive, Apply []plan.Object
	// Drift are the objects that are not as they were written, in plan order, passive ones
	// first. Those that are healed are among the ones to write.
	Drift []Drift
	// Delete are the objects to delete now.
	Delete []Deletion
	// Services is the state of each service, in plan order.
	Services []v1alpha1.ServiceStatus
	// Phase and Message of the environment.
	Phase   v1alpha1.Phase
	Message string
	// Ready counts the ready services.
	Ready int
	// Wake is when time alone changes the decision; zero when it does not.
	Wake time.Time
	// Evidence tells, by service, whose log shows the cause.
	Evidence map[string]health.Evidence
}

// Deletion is an object to delete.
type Deletion struct {
	plan.Key
	UID types.UID
}

// Idle says whether there is nothing to do.
func (d *Decision) Idle() bool {
	return len(d.Passive)+len(d.Apply)+len(d.Delete) == 0
}
