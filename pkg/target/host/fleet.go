package host

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Place says where a machine is and how to log in. It is compared: a machine whose place
// changes is connected anew.
type Place struct {
	Address, User, HostKey string
	// Credentials name what Keys reads.
	Credentials string
}

// Keys reads what a machine is logged in to with. It is asked before every connection.
type Keys func(ctx context.Context) (key, certificate []byte, err error)

// ErrNoCredentials says that there is nothing to log in with.
var ErrNoCredentials = errors.New("no credentials")

// Sight is how a machine is seen now.
type Sight struct {
	// Connected says that the machine is watched.
	Connected bool
	// Failure is why it is not; nil before the first connection.
	Failure error
	// Facts as of the last connection.
	Facts Facts
	// Services as of the last answer, by ID. Read-only.
	Services map[string]Told
}

// Fleet keeps a connection to every machine, and knows how each of them is. It is safe
// for concurrent use.
type Fleet struct {
	ctx context.Context

	mu        sync.Mutex
	machines  map[types.NamespacedName]*machine
	listeners []func(types.NamespacedName)
}

// NewFleet returns a fleet without machines; ctx ends all connections.
func NewFleet(ctx context.Context) *Fleet {
	return &Fleet{ctx: ctx, machines: map[types.NamespacedName]*machine{}}
}

// Listen has a function called, from many goroutines, with every machine that is seen
// otherwise than before.
func (f *Fleet) Listen(changed func(types.NamespacedName)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners = append(f.listeners, changed)
}

func (f *Fleet) tell(name types.NamespacedName) {
	f.mu.Lock()
	listeners := f.listeners[:len(f.listeners):len(f.listeners)]
	f.mu.Unlock()
	for _, changed := range listeners {
		changed(name)
	}
}

// Set adds a machine, or connects anew one that has moved.
func (f *Fleet) Set(name types.NamespacedName, place Place, keys Keys) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.machines[name]; known != nil {
		if known.place == place {
			return
		}
		known.stop()
	}
	ctx, stop := context.WithCancel(f.ctx)
	m := &machine{name: name, place: place, keys: keys, stop: stop, changed: func() { f.tell(name) }}
	f.machines[name] = m
	go m.run(ctx)
}

// Drop forgets a machine. What runs on it goes on.
func (f *Fleet) Drop(name types.NamespacedName) {
	f.mu.Lock()
	known := f.machines[name]
	delete(f.machines, name)
	f.mu.Unlock()
	if known != nil {
		known.stop()
		f.tell(name)
	}
}

// See tells how a machine is; false when the fleet does not have it.
func (f *Fleet) See(name types.NamespacedName) (Sight, bool) {
	if m := f.machine(name); m != nil {
		return m.sight(), true
	}
	return Sight{}, false
}

func (f *Fleet) machine(name types.NamespacedName) *machine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.machines[name]
}

// machine keeps one connection.
type machine struct {
	name    types.NamespacedName
	place   Place
	keys    Keys
	stop    context.CancelFunc
	changed func()

	// busy is held for reading while something is brought to the machine, and for writing
	// while it is swept.
	busy     sync.RWMutex
	sweeping sync.Mutex
	// dirty says that there may be something to sweep.
	dirty atomic.Bool

	mu   sync.Mutex
	seen Sight
	conn *Conn
}

func (m *machine) sight() Sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

func (m *machine) see(change func(*Sight)) {
	m.mu.Lock()
	change(&m.seen)
	m.mu.Unlock()
	m.changed()
}

// run connects, watches until the connection ends, and does so again.
func (m *machine) run(ctx context.Context) {
	var wait pause
	for ctx.Err() == nil {
		connected, err := m.attend(ctx)
		if ctx.Err() != nil {
			return
		}
		m.lose(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.after(connected, err)):
		}
	}
}

// lose takes note of why the machine is not watched, and tells it when it was not told so.
func (m *machine) lose(err error) {
	before := m.sight()
	if before.Connected || before.Failure == nil || err == nil || before.Failure.Error() != err.Error() {
		m.see(func(s *Sight) { s.Connected, s.Failure = false, err })
	}
}

// attend connects and watches; it returns when that is over, and says whether the
// connection stood.
func (m *machine) attend(ctx context.Context) (connected bool, err error) {
	key, certificate, err := m.keys(ctx)
	if err != nil {
		return false, err
	}
	conn, err := Dial(ctx, Login{Name: m.name.Name, Address: m.place.Address, User: m.place.User, HostKey: m.place.HostKey, Key: key, Certificate: certificate})
	if err != nil {
		return false, err
	}
	defer conn.Close()
	facts, err := conn.Facts(ctx)
	if err != nil {
		return false, err
	}
	defer m.use(nil)
	m.use(conn)
	err = conn.Watch(ctx, func(services map[string]Told) {
		connected = true
		before := m.sight().Services
		for id, told := range services {
			told.Unit = told.Unit.after(before[id].Unit)
			services[id] = told
		}
		now := Sight{Connected: true, Facts: facts, Services: services}
		if !reflect.DeepEqual(m.sight(), now) {
			m.see(func(s *Sight) { *s = now })
		}
	})
	if err == nil {
		err = conn.lost(errors.New("the watch ended by itself"))
	}
	return connected, err
}

func (m *machine) use(conn *Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conn = conn
}

// connection is the one that stands, nil when none does.
func (m *machine) connection() *Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.seen.Connected {
		return nil
	}
	return m.conn
}

// seenFrom returns the machines of a namespace, and then those of others that are none of
// them by another name: what is left there belongs to an environment, too, and one machine
// must not be seen by two connections at once.
func (f *Fleet) seenFrom(namespace string) []*machine {
	f.mu.Lock()
	defer f.mu.Unlock()
	var own, others []*machine
	keys := map[string]bool{}
	for name, m := range f.machines {
		if name.Namespace == namespace {
			own, keys[m.place.HostKey] = append(own, m), true
		}
	}
	for name, m := range f.machines {
		if name.Namespace != namespace && !keys[m.place.HostKey] {
			others = append(others, m)
		}
	}
	return append(own, others...)
}
