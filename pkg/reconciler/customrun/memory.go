package customrun

import (
	"sync"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"k8s.io/apimachinery/pkg/types"
)

// memory is how far each CustomRun got, by the word of this process. The lister may be
// one write behind, and a pass on such a copy would do and end again what is done: the
// generated reconciler overwrites a newer status. All of it can be lost.
type memory struct {
	mu    sync.Mutex
	byUID map[types.UID]mark
}

// mark is how far a CustomRun got.
type mark struct {
	attempt    int
	generation int64
	done       bool
	ending     *ending // that has not been told yet
}

func newMemory() *memory { return &memory{byUID: map[types.UID]mark{}} }

// keep remembers the end of a pass.
func (m *memory) keep(p *pass) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byUID[p.run.UID] = mark{
		attempt: p.record.Attempt, generation: p.record.Generation, done: p.run.IsDone(), ending: p.ending,
	}
}

func (m *memory) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byUID, uid)
}

// newer says whether a copy of a CustomRun is older than what is remembered.
func (m *memory) newer(run *v1beta1.CustomRun) bool {
	m.mu.Lock()
	got, found := m.byUID[run.UID]
	m.mu.Unlock()
	if !found || run.IsDone() {
		return false
	}
	var stored record
	if err := run.Status.DecodeExtraFields(&stored); err != nil {
		return false
	}
	return got.done || got.attempt > stored.Attempt ||
		got.attempt == stored.Attempt && got.generation > stored.Generation
}

// ended gives the end of an attempt, once.
func (m *memory) ended(uid types.UID) *ending {
	m.mu.Lock()
	defer m.mu.Unlock()
	got, found := m.byUID[uid]
	if !found {
		return nil
	}
	told := got
	told.ending = nil
	m.byUID[uid] = told
	return got.ending
}
