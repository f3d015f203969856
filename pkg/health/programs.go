package health

import (
	"sync"

	"github.com/google/cel-go/cel"
)

// programLimit bounds what is remembered; templates hold far fewer rules.
const programLimit = 512

// programs remembers compiled rules: compiling costs a thousand times what asking does,
// and a rule is asked at every change of every object of its kind. It changes no
// answer, only what the answer costs.
var programs = programMemory{known: map[string]compiled{}}

type compiled struct {
	program cel.Program
	err     error
}

type programMemory struct {
	sync.Mutex
	known map[string]compiled
}

func (m *programMemory) get(expression string) (cel.Program, error) {
	m.Lock()
	defer m.Unlock()
	if entry, found := m.known[expression]; found {
		return entry.program, entry.err
	}
	if len(m.known) >= programLimit {
		clear(m.known)
	}
	program, err := compile(expression)
	m.known[expression] = compiled{program, err}
	return program, err
}
