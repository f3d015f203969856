package host

import (
	"errors"
	"syscall"
	"time"
)

// How long to wait before a machine is tried again: at first, at most, and at most while
// nothing answers at its address. Such a try costs nobody anything, and is most often one for
// a machine that will boot.
const (
	soonest  = time.Second
	latest   = 10 * time.Second
	unheeded = 3 * time.Second
)

// pause is how long to wait before the next try. It grows as long as a machine fails in the
// same way: one that fails otherwise than before is on its way, up or down.
type pause struct {
	wait time.Duration
	way  way
}

// way is how a connection failed.
type way struct {
	class   Class
	refused bool // the machine answered that nobody listens
}

func (p *pause) after(connected bool, err error) time.Duration {
	now := way{class: ClassOf(err), refused: errors.Is(err, syscall.ECONNREFUSED)}
	most := latest
	if now.class == Unreachable && !now.refused {
		most = unheeded
	}
	if connected || now != p.way {
		p.wait = 0
	}
	p.way = now
	p.wait = min(max(2*p.wait, soonest), most)
	return p.wait
}
