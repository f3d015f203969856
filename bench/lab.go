package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/kubelet"
	"spock.dev/spock/bench/machines"
	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/report"
	"spock.dev/spock/bench/work"
)

// lab runs cases one after the other and keeps their rows.
type lab struct {
	settings
	bed   *bed.Bed
	nodes *kubelet.Kubelet
	ours  ours
	peers []engine
	rows  []report.Row
	// yard is the machines while there are some.
	yard *machines.Yard
}

// trial is a case of an engine.
type trial struct {
	name   string
	engine engine
	work   work.Work
	// changed is how many objects it changes by its nature.
	changed int
	do      func(context.Context, work.Work) error
}

// run runs a trial and measures it. A peer that fails is told, and has no row.
func (l *lab) run(ctx context.Context, t trial) error {
	before, err := l.used(t.engine)
	if err != nil {
		return err
	}
	name, mode := t.engine.who()
	window := measure.Window{From: time.Now(), Engine: t.engine.account(), Namespace: t.engine.namespace(t.work.Name)}
	from, err := l.auditSize()
	if err != nil {
		return err
	}
	if err := t.do(ctx, t.work); err != nil {
		return fmt.Errorf("case %s of %s, %s: %w", t.name, name, mode, err)
	}
	window.To = time.Now()
	after, err := l.used(t.engine)
	if err != nil {
		return err
	}
	all, err := l.audit(from)
	if err != nil {
		return err
	}
	run := measure.Of(all, window)
	if err := l.onMachines(ctx, &run); err != nil {
		return err
	}
	row := report.Row{Case: t.name, Engine: name, Mode: mode, Services: len(t.work.Services), Measures: measures(run, t)}
	row.Measures["cpu_s"] = (after.CPU - before.CPU).Seconds()
	row.Measures["cluster_cpu_s"] = (after.cluster - before.cluster).Seconds()
	row.Measures["peak_rss_mib"] = mib(after.Usage)
	if l.yard != nil {
		row.Measures["machines_cpu_s"] = (after.machines - before.machines).Seconds()
	}
	return l.keepRow(row, run)
}

// used is what an engine has used, what the control plane has, and what the machines have,
// if there are any.
type used struct {
	bed.Usage
	cluster, machines time.Duration
}

func (l *lab) used(e engine) (u used, err error) {
	if u.Usage, err = e.usage(); err != nil {
		return u, err
	}
	if u.cluster, err = l.bed.CPU(); err != nil || l.yard == nil {
		return u, err
	}
	u.machines, err = l.yard.CPU()
	return u, err
}

func mib(u bed.Usage) float64 { return float64(u.PeakRSS) / (1 << 20) }

// keepRow keeps a row and tells it.
func (l *lab) keepRow(row report.Row, run measure.Run) error {
	l.rows = append(l.rows, row)
	if l.verbose {
		fmt.Println("  requests:", run.Of)
	}
	return report.Line(os.Stdout, row)
}

// auditSize is how long the audit log is now.
func (l *lab) auditSize() (int64, error) {
	info, err := os.Stat(l.bed.AuditLog())
	if err != nil {
		return 0, fmt.Errorf("look at the audit log: %w", err)
	}
	return info.Size(), nil
}

// audit reads what is in the audit log from a position on.
func (l *lab) audit(from int64) ([]measure.Request, error) {
	file, err := os.Open(l.bed.AuditLog())
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	defer file.Close()
	return measure.ReadFrom(file, from)
}

// measures of a deploy by name, with their unit.
func measures(run measure.Run, t trial) map[string]float64 {
	overhead, limit := run.Overhead(t.work)
	m := map[string]float64{
		"wall_s": run.To.Sub(run.From).Seconds(), "t_min_s": limit.Seconds(), "overhead_s": overhead.Seconds(),
		"order_violations": float64(len(run.Violations(t.work))),
		"requests":         float64(run.Total()), "writes": float64(run.Writes()), "workloads_written": float64(len(run.Written)), "written_twice": float64(run.Again),
	}
	lateness(m, run.Lateness(t.work))
	if t.changed > 0 {
		m["objects_changed"], m["requests_per_object"] = float64(t.changed), float64(run.Total())/float64(t.changed)
	}
	return m
}

func lateness(m map[string]float64, late []time.Duration) {
	if len(late) == 0 {
		return
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	m["lateness_p50_ms"], m["lateness_p99_ms"], m["lateness_max_ms"] = ms(measure.Percentile(late, 0.5)), ms(measure.Percentile(late, 0.99)), ms(late[len(late)-1])
}

// each prepares one engine for a work and runs its trials. What a peer cannot do is told, and
// the run goes on; what Spock cannot do ends it.
func (l *lab) each(ctx context.Context, w work.Work, e engine, trials []trial) error {
	name, mode := e.who()
	err := e.prepare(ctx, w)
	if err != nil {
		err = fmt.Errorf("prepare %s of %s, %s: %w", w.Name, name, mode, err)
	}
	for _, t := range trials {
		if err == nil {
			err = l.run(ctx, t)
		}
	}
	if err == nil || name == "spock" || ctx.Err() != nil {
		return errors.Join(err, l.publish())
	}
	fmt.Fprintf(os.Stderr, "left out: %v\n", err)
	return l.publish()
}

// engines are all that are measured side by side, Spock first, then the peers in the modes
// that are wanted.
func (l *lab) engines(wanted func(mode string) bool) []engine {
	all := []engine{l.ours}
	for _, peer := range l.peers {
		if _, mode := peer.who(); wanted(mode) {
			all = append(all, peer)
		}
	}
	return all
}

// tell prints the table and what was missed, and writes the results where asked to.
func (l *lab) tell() error {
	fmt.Println()
	err := report.Table(os.Stdout, l.rows)
	fmt.Println()
	for _, m := range report.Missed(l.rows) {
		fmt.Println("missed:", m)
	}
	return errors.Join(err, l.publish())
}

// holds fails a short run, which is a test, when a fact does not hold.
func (l *lab) holds() error {
	broken := report.Broken(l.rows)
	if !l.short || len(broken) == 0 {
		return nil
	}
	return errors.New(strings.Join(broken, "\n"))
}
