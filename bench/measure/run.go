package measure

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"spock.dev/spock/bench/work"
)

// Window is one run of an engine.
type Window struct {
	From, To time.Time
	// Engine is the user whose requests are its.
	Engine string
	// Namespace of the workloads.
	Namespace string
}

// Run is what happened in a window.
type Run struct {
	Window
	// Requests of the engine by verb, without its watches and what it says to keep the
	// leadership: that is a matter of time, not of work.
	Requests map[string]int
	// Of counts the same by verb and resource.
	Of map[string]int
	// Again counts the writes that changed a workload once more.
	Again int
	// Changed counts the services on machines that were changed or started there.
	Changed int
	// Written is when the apiserver got the first write of each workload, Ready when it got
	// the first status by which the workload is ready as then written. Nobody can have
	// known that earlier, so what is late is not flattered and what is early is certain.
	Written, Ready map[string]time.Time
}

// Of reads a run off the requests.
func Of(all []Request, w Window) Run {
	run := Run{Window: w, Requests: map[string]int{}, Of: map[string]int{}, Written: map[string]time.Time{}, Ready: map[string]time.Time{}}
	generation := map[string]int64{}
	for _, r := range all {
		if r.Received.Before(w.From) || r.Received.After(w.To) {
			continue
		}
		mine := r.User == w.Engine || r.As == w.Engine
		if mine && r.Verb != "watch" && !strings.HasPrefix(r.Resource, "leases.") {
			run.Requests[verb(r)]++
			run.Of[r.Verb+" "+r.Resource]++
		}
		d := r.Deployment
		switch {
		case d == nil || r.DryRun || d.Namespace != w.Namespace || r.Code >= 300:
		case mine && !strings.Contains(r.Resource, "/"):
			if ready(d, d.Generation) {
				continue // it was so already: nothing was changed, and nothing is waited for
			}
			if _, seen := run.Written[d.Name]; !seen {
				run.Written[d.Name] = r.Received
			} else if d.Generation > generation[d.Name] {
				run.Again++
			}
			generation[d.Name] = d.Generation
		case strings.HasSuffix(r.Resource, "/status") && generation[d.Name] > 0:
			if _, seen := run.Ready[d.Name]; ready(d, generation[d.Name]) && !seen {
				run.Ready[d.Name] = r.Received
			}
		}
	}
	return run
}

// ready says whether a workload is ready as of a generation, with all of its replicas new.
func ready(d *appsv1.Deployment, generation int64) bool {
	s := d.Status
	return s.ObservedGeneration >= generation && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas == s.Replicas && s.Replicas > 0
}

// Total of the requests.
func (r Run) Total() int {
	total := 0
	for _, n := range r.Requests {
		total += n
	}
	return total
}

// Writes are the requests that are not reads and not only a trial, and the services that
// were written on machines.
func (r Run) Writes() int {
	return r.Total() - r.Requests["get"] - r.Requests["list"] - r.Requests[dryRun] + r.Changed
}

// dryRun is counted like a verb of its own.
const dryRun = "dry-run"

func verb(r Request) string {
	if r.DryRun {
		return dryRun
	}
	return r.Verb
}

// Overhead is how much longer the run took than the physical limit of the work, with the
// times that the cluster took for each service in this run.
func (r Run) Overhead(w work.Work) (overhead, limit time.Duration) {
	limit = w.Limit(func(name string) time.Duration { return max(0, r.Ready[name].Sub(r.Written[name])) })
	return r.To.Sub(r.From) - limit, limit
}

// Lateness is, sorted, how long after the last of its gates was ready each workload was
// written. Workloads that waited for none are not in it.
func (r Run) Lateness(w work.Work) []time.Duration {
	var all []time.Duration
	for name, gates := range w.Gates() {
		if last, any := r.last(gates); any && !r.Written[name].IsZero() {
			all = append(all, r.Written[name].Sub(last))
		}
	}
	slices.Sort(all)
	return all
}

// Violations are the workloads that were written before one of their gates was ready.
func (r Run) Violations(w work.Work) []string {
	var all []string
	for name, gates := range w.Gates() {
		written, ok := r.Written[name]
		early := func(gate string) bool {
			_, pending := r.Written[gate]
			ready, is := r.Ready[gate]
			return pending && (!is || written.Before(ready))
		}
		if ok && slices.ContainsFunc(gates, early) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// last is when the last of the gates that were written in this run was ready.
func (r Run) last(gates []string) (last time.Time, any bool) {
	for _, g := range gates {
		if ready, ok := r.Ready[g]; ok {
			any = true
			if ready.After(last) {
				last = ready
			}
		}
	}
	return last, any
}

// Percentile of sorted values; zero when there are none.
func Percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// First is when the apiserver had answered the first request to the namespace of a window
// that is what is looked for.
func First(all []Request, w Window, is func(Request) bool) (at time.Time, found bool) {
	for _, r := range all {
		if r.Namespace == w.Namespace && !r.Received.Before(w.From) && !r.Received.After(w.To) && is(r) {
			return r.Answered, true
		}
	}
	return time.Time{}, false
}
