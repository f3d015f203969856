package environment

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// memory is what is remembered of an environment between passes. All of it can be
// lost: it saves work, and it smooths what is told.
type memory struct {
	uid types.UID

	planKey string               // of what plan was made from
	plan    *plan.Plan           // made from it
	sources []v1alpha1.RunSource // read for it

	back *plan.Plan // the last one that was unpacked

	run     *v1alpha1.EnvironmentRun // as last written, until the lister has it
	record  []v1alpha1.ServiceStatus // of that run
	refused map[plan.Key]engine.Refusal
	// refusedAt is when refused was last emptied.
	refusedAt time.Time
	writes    int64
	heals     map[plan.Key]engine.Heals
	compared  engine.Compared
	outbox    *engine.Outbox // ends before the environment does
	past      past
	placed    *plan.Plan // whose places were noted last
	toldAt    time.Time  // when the status was last allowed out
	moving    int64      // services on their way, as counted by memories
}

// memories is safe for concurrent use; one memory is used by one pass at a time, since
// a key is never reconciled twice at once.
type memories struct {
	outbox func(types.NamespacedName) *engine.Outbox
	moving atomic.Int64 // services of environments that are on their way

	mu    sync.Mutex
	byKey map[types.NamespacedName]*memory
}

func newMemories(outbox func(types.NamespacedName) *engine.Outbox) *memories {
	return &memories{outbox: outbox, byKey: map[types.NamespacedName]*memory{}}
}

func (m *memories) of(key types.NamespacedName, uid types.UID) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.byKey[key]
	if got == nil || got.uid != uid {
		if got != nil {
			m.move(got, 0)
		}
		got = &memory{
			uid: uid, refused: map[plan.Key]engine.Refusal{}, outbox: m.outbox(key),
			heals: map[plan.Key]engine.Heals{}, compared: engine.Compared{},
		}
		m.byKey[key] = got
	}
	return got
}

func (m *memories) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if got := m.byKey[key]; got != nil {
		m.move(got, 0)
	}
	delete(m.byKey, key)
}

// move notes how many services of an environment are on their way.
func (m *memories) move(of *memory, services int64) {
	m.moving.Add(services - of.moving)
	of.moving = services
}

// forgive drops the refusals of a class, and says whether there were any.
func (m *memory) forgive(class v1alpha1.CauseClass) bool {
	any := false
	for key, r := range m.refused {
		if r.Cause.Class == class {
			delete(m.refused, key)
			any = true
		}
	}
	return any
}
