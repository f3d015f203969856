package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/unit"
)

// job is a service on its way to a machine, or off it.
type job struct {
	id      string
	scope   target.Scope
	machine types.NamespacedName
	// before is the machine that the service moves away from.
	before   *types.NamespacedName
	want     unit.Instance
	record   Record
	removing bool

	stop  context.CancelFunc
	ended chan struct{}
	since time.Time

	// Guarded by Target.mu.
	done    bool
	message string
	cause   *v1alpha1.Cause
}

var plain = regexp.MustCompile(`[^a-zA-Z0-9-]+`)

// idOf names a service on a machine: readable, and unlike that of any other environment.
func idOf(env types.NamespacedName, name string) string {
	sum := sha256.Sum256([]byte(env.Namespace + "/" + env.Name + "/" + name))
	readable := plain.ReplaceAllString(env.Name+"-"+name, "-")
	return readable[:min(len(readable), 60)] + "-" + hex.EncodeToString(sum[:5])
}

// owner is whose the service is, as the machine keeps it.
func (j *job) owner() string { return j.scope.Environment.String() + ":" + string(j.scope.UID) }

// object is the service as it will be, with how far it is.
func (j *job) object() *unstructured.Unstructured {
	status := map[string]any{"phase": string(Starting), "message": j.message}
	if j.cause != nil {
		status["phase"], status["cause"] = string(Failed), causeMap(j.cause)
	}
	return objectOf(j.record, status)
}

// tries are how long to wait before a failed step is tried again.
var tries = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

// work does the job until it is done, or another one takes its place.
func (t *Target) work(ctx context.Context, j *job) {
	for try := 0; ctx.Err() == nil; try++ {
		conn := t.connectionOf(j.machine)
		err := t.attempt(ctx, j)
		if err == nil {
			t.set(j, func() { j.done, j.cause = true, nil })
			return
		}
		if ctx.Err() != nil || errors.Is(err, errAway) {
			try = -1 // attempt has waited for the machine by itself
			continue
		}
		t.set(j, func() { j.cause = causeOf(err) })
		if t.rest(ctx, j, conn, tries[min(try, len(tries)-1)]) {
			try = -1
		}
	}
}

// rest waits before the next try, and no longer than until the machine is connected anew: what
// failed may have had its reason in a machine that was going, and says nothing of the one that
// has come. It says whether it has; before is the connection of the try that failed.
func (t *Target) rest(ctx context.Context, j *job, before *Conn, wait time.Duration) (anew bool) {
	over := time.After(wait)
	for {
		moved := t.moves(j.machine)
		if now := t.connectionOf(j.machine); now != nil && now != before {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return false
		case <-moved:
		}
	}
}

func (t *Target) connectionOf(name types.NamespacedName) *Conn {
	if m := t.fleet.machine(name); m != nil {
		return m.connection()
	}
	return nil
}

func (t *Target) set(j *job, change func()) {
	t.mu.Lock()
	change()
	t.mu.Unlock()
	t.changed(j.scope.Environment)
}

func (t *Target) say(j *job, format string, args ...any) {
	t.set(j, func() { j.message = fmt.Sprintf(format, args...) })
}

// errAway says that a machine was away, and has moved since.
var errAway = errors.New("the machine was away")

// attempt does the job once.
func (t *Target) attempt(ctx context.Context, j *job) error {
	if j.before != nil {
		if err := t.remove(ctx, j, *j.before); err != nil {
			return err
		}
		t.set(j, func() { j.before = nil })
	}
	if j.removing {
		return t.remove(ctx, j, j.machine)
	}
	m, conn, err := t.reach(ctx, j, j.machine)
	if err != nil {
		return err
	}
	if t.stands(j, m.sight()) {
		return nil
	}
	if err := t.away(ctx, j, m, t.brings(ctx, j, m, conn)); err != nil {
		return err
	}
	return t.away(ctx, j, m, m.sweep(ctx, conn, t.epoch()))
}

// stands says whether the machine runs the service as it is wanted, and takes it as it is
// then: who wanted it could not see it while the machine was away.
func (t *Target) stands(j *job, sight Sight) bool {
	told, there := sight.Services[j.id]
	if !there || told.Unit.Edited || told.Unit.State() != Running {
		return false
	}
	for _, name := range []string{v1alpha1.AnnotationHash, v1alpha1.AnnotationEnvironmentUID} {
		if want := j.record.Annotations[name]; want == "" || told.Record.Annotations[name] != want {
			return false
		}
	}
	t.set(j, func() { j.record = told.Record })
	return true
}

func (t *Target) brings(ctx context.Context, j *job, m *machine, conn *Conn) error {
	m.busy.RLock()
	defer m.busy.RUnlock()
	return t.bring(ctx, j, conn, m.sight().Facts)
}

// sweep removes what nothing on the machine needs any more, unless something is on its
// way there: then who brings that sweeps.
func (m *machine) sweep(ctx context.Context, conn *Conn, epoch int64) error {
	m.dirty.Store(true)
	m.sweeping.Lock() // one that began earlier may have looked too early
	defer m.sweeping.Unlock()
	if !m.busy.TryLock() {
		return nil
	}
	defer m.busy.Unlock()
	if !m.dirty.Swap(false) {
		return nil
	}
	return conn.Sweep(ctx, epoch)
}

// remove takes a service off a machine; one whose Host is gone is forgotten.
func (t *Target) remove(ctx context.Context, j *job, from types.NamespacedName) error {
	if t.fleet.machine(from) == nil {
		return nil
	}
	m, conn, err := t.reach(ctx, j, from)
	if err != nil {
		return err
	}
	t.say(j, "stops on host %s", from.Name)
	if err := t.away(ctx, j, m, conn.Remove(ctx, t.epoch(), j.id, j.owner())); err != nil {
		return err
	}
	return t.away(ctx, j, m, m.sweep(ctx, conn, t.epoch()))
}

// reach returns a connection to a machine; when there is none it tells so, and waits
// until the machine moves.
func (t *Target) reach(ctx context.Context, j *job, name types.NamespacedName) (*machine, *Conn, error) {
	moved := t.moves(name)
	m := t.fleet.machine(name)
	if m == nil {
		return nil, nil, &Failure{Class: NotPrepared, Host: name.Name, Message: "there is no Host of this name"}
	}
	if conn := m.connection(); conn != nil {
		return m, conn, nil
	}
	if failure := m.sight().Failure; failure != nil {
		t.set(j, func() { j.cause = causeOf(failure) })
	}
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-moved:
		return nil, nil, errAway
	}
}

// away turns a lost connection into waiting for the next one.
func (t *Target) away(ctx context.Context, j *job, m *machine, err error) error {
	if ClassOf(err) != Unreachable {
		return err
	}
	moved := t.moves(m.name)
	if conn := m.connection(); conn != nil {
		select {
		case <-conn.Done(): // it ends by itself, and the machine moves
		default:
			return err
		}
	}
	t.set(j, func() { j.cause = causeOf(err) })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-moved:
		return errAway
	}
}

// moves returns a channel that is closed when a machine is seen otherwise than now.
func (t *Target) moves(name types.NamespacedName) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.moved[name] == nil {
		t.moved[name] = make(chan struct{})
	}
	return t.moved[name]
}

// causeOf is a failure in the words of a status.
func causeOf(err error) *v1alpha1.Cause {
	class := ClassOf(err)
	if class == "" {
		class = Broken
	}
	var config *unusable
	if errors.As(err, &config) {
		return &v1alpha1.Cause{Class: config.class, Message: err.Error(), Hint: config.hint}
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseClass(class), Message: err.Error(), Hint: class.Hint()}
}

func causeMap(c *v1alpha1.Cause) map[string]any {
	raw, err := json.Marshal(c)
	out := map[string]any{}
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return map[string]any{"class": string(c.Class), "message": c.Message}
	}
	return out
}
