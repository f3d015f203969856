package measure

import "time"

// Start is the last start of a service on a machine, as its systemd tells of it.
type Start struct {
	// Began is when systemd began to start it, Ready when it was ready.
	Began, Ready time.Time
	// Restarts after a failure; ID is another one with every start.
	Restarts int
	ID       string
}

// With adds to a run what was started on machines: a start in its window is a write of the
// service's workload, and its word that it is ready the status.
func (r Run) With(before, after map[string]Start) Run {
	for name, s := range after {
		if s.ID == before[name].ID || s.Began.Before(r.From) {
			continue
		}
		r.Written[name] = s.Began
		if s.Ready.After(s.Began) {
			r.Ready[name] = s.Ready
		}
		r.Again += s.Restarts
	}
	return r
}
