package service

import (
	"errors"
	"fmt"
	"time"
)

// Settings reads settings and collects what is wrong with them, so that a process
// names everything it misses at once.
type Settings struct {
	lookup   func(string) (string, bool)
	problems []error
}

// NewSettings reads from lookup, os.LookupEnv for instance.
func NewSettings(lookup func(string) (string, bool)) *Settings {
	return &Settings{lookup: lookup}
}

// String returns a setting, or fallback when it is absent or empty.
func (s *Settings) String(name, fallback string) string {
	if v, ok := s.lookup(name); ok && v != "" {
		return v
	}
	return fallback
}

// Required returns a setting that has no sensible default.
func (s *Settings) Required(name string) string {
	v := s.String(name, "")
	if v == "" {
		s.problems = append(s.problems, fmt.Errorf("%s is not set; set it in the environment of the process", name))
	}
	return v
}

// Duration returns a setting such as `30s`.
func (s *Settings) Duration(name string, fallback time.Duration) time.Duration {
	v := s.String(name, "")
	if v == "" {
		return fallback
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		s.problems = append(s.problems, fmt.Errorf("%s is %q; write a duration such as 30s", name, v))
		return fallback
	}
	return d
}

// Err is everything that was wrong with the settings read so far.
func (s *Settings) Err() error { return errors.Join(s.problems...) }
