package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/report"
	"spock.dev/spock/bench/work"
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// many brings up many environments of one product at once. The limit is that of one: no
// environment waits for another.
func (l *lab) many(ctx context.Context, environments, services int) error {
	w := work.Tiers("many", services, 3, true, l.delays())
	if err := l.ours.prepare(ctx, w); err != nil {
		return err
	}
	before, err := l.used(l.ours)
	if err != nil {
		return err
	}
	from, err := l.auditSize()
	if err != nil {
		return err
	}
	window := measure.Window{From: time.Now(), Engine: l.ours.account()}
	err = atOnce(environments, func(i int) error { return l.ours.spock.Deploy(ctx, w, fmt.Sprintf("many-%d", i)) })
	if err != nil {
		return fmt.Errorf("case up/many: %w", err)
	}
	window.To = time.Now()
	after, err := l.used(l.ours)
	if err != nil {
		return err
	}
	all, err := l.audit(from)
	if err != nil {
		return err
	}
	row := report.Row{Case: "up/many", Engine: "spock", Mode: "default", Services: environments * services, Measures: together(all, window, w, environments, l.ours.namespace)}
	row.Measures["cpu_s"], row.Measures["peak_rss_mib"] = (after.CPU - before.CPU).Seconds(), mib(after.Usage)
	row.Measures["cluster_cpu_s"] = (after.cluster - before.cluster).Seconds()
	if err := l.keepRow(row, measure.Run{}); err != nil {
		return err
	}
	return atOnce(environments, func(i int) error { return l.ours.spock.Teardown(ctx, fmt.Sprintf("many-%d", i)) })
}

// together are the measures of environments that came up at the same time.
func together(all []measure.Request, window measure.Window, w work.Work, environments int, namespace func(string) string) map[string]float64 {
	m := map[string]float64{"wall_s": window.To.Sub(window.From).Seconds()}
	var late []time.Duration
	for i := range environments {
		window.Namespace = namespace(fmt.Sprintf("many-%d", i))
		run := measure.Of(all, window)
		_, limit := run.Overhead(w)
		m["t_min_s"] = max(m["t_min_s"], limit.Seconds())
		m["order_violations"] += float64(len(run.Violations(w)))
		m["workloads_written"] += float64(len(run.Written))
		m["written_twice"] += float64(run.Again)
		m["requests"], m["writes"] = float64(run.Total()), float64(run.Writes()) // of all: the engine is one
		late = append(late, run.Lateness(w)...)
	}
	slices.Sort(late)
	lateness(m, late)
	m["overhead_s"] = m["wall_s"] - m["t_min_s"]
	m["objects_changed"] = float64(environments * len(w.Services) * objectsPerService)
	m["requests_per_object"] = m["requests"] / m["objects_changed"]
	return m
}

// atOnce does something so many times at once.
func atOnce(times int, do func(i int) error) error {
	errs := make([]error, times)
	var group sync.WaitGroup
	for i := range times {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// killed kills the controller with half of an environment ready and starts another at
// once, as a cluster would.
func (l *lab) killed(ctx context.Context, services int) error {
	w := work.Tiers("killed", services, 3, true, l.delays())
	if err := l.ours.prepare(ctx, w); err != nil {
		return err
	}
	from, err := l.auditSize()
	if err != nil {
		return err
	}
	window := measure.Window{From: time.Now(), Engine: l.ours.account(), Namespace: l.ours.namespace(w.Name)}
	if err := l.ours.spock.Begin(ctx, w, w.Name); err != nil {
		return err
	}
	if _, err := l.ours.spock.Until(ctx, w.Name, func(e *v1alpha1.Environment) bool { return readyOf(e) >= services/2 }); err != nil {
		return fmt.Errorf("case killed/needs: %w", err)
	}
	l.ours.spock.Stop()
	at := time.Now()
	if err := l.ours.spock.Start(ctx); err != nil {
		return err
	}
	if err := l.ours.deploy(ctx, w); err != nil {
		return fmt.Errorf("case killed/needs: %w", err)
	}
	window.To = time.Now()
	all, err := l.audit(from)
	if err != nil {
		return err
	}
	run := measure.Of(all, window)
	row := report.Row{Case: "killed/needs", Engine: "spock", Mode: "default", Services: services, Measures: measures(run, trial{work: w, changed: services * objectsPerService})}
	after := window
	after.From = at
	if first, is := measure.First(all, after, func(r measure.Request) bool { return r.User == window.Engine && resumes(r) }); is {
		row.Measures["resume_s"] = first.Sub(at).Seconds()
	}
	if err := l.keepRow(row, run); err != nil {
		return err
	}
	return l.ours.teardown(ctx, w)
}

func readyOf(e *v1alpha1.Environment) int {
	n := 0
	for _, s := range e.Status.Services {
		if s.State == v1alpha1.ServiceReady {
			n++
		}
	}
	return n
}

// resumes says whether a request is the first that an engine makes when it goes on: the
// write of a workload.
func resumes(r measure.Request) bool { return r.Resource == "deployments.apps" && r.Verb == "patch" }
