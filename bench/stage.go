package main

import (
	"fmt"
	"time"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/work"
)

// stage is where a peer that is a controller stands. Two of its modes at once would do the
// same work twice, so there is room for one.
type stage struct {
	// dir is the folder of the peer's source.
	dir string

	on      *program
	process *bed.Process
	// before is the time of the processes that stood here before.
	before time.Duration
}

// enter starts a peer unless it stands here already, and takes another mode away.
func (s *stage) enter(p *program, w work.Work) error {
	if s.on == p && s.process.Ended() == nil {
		return nil
	}
	if err := s.leave(); err != nil {
		return err
	}
	process, err := p.start(s.dir, "serve", w)
	if err != nil {
		return err
	}
	s.on, s.process = p, process
	return nil
}

func (s *stage) leave() error {
	if s.process == nil {
		return nil
	}
	used, err := s.process.Usage()
	if err != nil {
		return fmt.Errorf("usage of %s: %w", s.on.account(), err)
	}
	s.process.Kill()
	s.before += used.CPU
	s.on, s.process = nil, nil
	return nil
}

// usage is the time of all that stood here, and the memory of who does.
func (s *stage) usage() (bed.Usage, error) {
	if s.process == nil {
		return bed.Usage{CPU: s.before}, nil
	}
	used, err := s.process.Usage()
	used.CPU += s.before
	return used, err
}
