package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/kubelet"
	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/report"
	"spock.dev/spock/bench/spock"
	"spock.dev/spock/bench/work"
)

// lab runs cases one after the other and keeps their rows.
type lab struct {
	settings
	bed   *bed.Bed
	nodes *kubelet.Kubelet
	spock *spock.Spock
	rows  []report.Row
}

// timed runs something as a case of Spock's and measures it.
func (l *lab) timed(ctx context.Context, name, environment string, w work.Work, do func(context.Context) error) error {
	if !strings.Contains(name, l.only) {
		return do(ctx)
	}
	before, err := l.spock.Usage()
	if err != nil {
		return err
	}
	window := measure.Window{From: time.Now(), Engine: spock.Account, Namespace: spock.Namespace(environment)}
	if err := do(ctx); err != nil {
		return fmt.Errorf("case %s: %w", name, err)
	}
	window.To = time.Now()
	after, err := l.spock.Usage()
	if err != nil {
		return err
	}
	run, err := l.read(window)
	if err != nil {
		return err
	}
	row := report.Row{Case: name, Engine: "spock", Mode: "default", Services: len(w.Services), Measures: measures(run, w)}
	row.Measures["cpu_s"] = (after.CPU - before.CPU).Seconds()
	row.Measures["peak_rss_mib"] = float64(after.PeakRSS) / (1 << 20)
	l.rows = append(l.rows, row)
	if l.verbose {
		fmt.Println("  requests:", run.Of)
	}
	return report.Table(os.Stdout, []report.Row{row})
}

// read reads the audit log once all of a window is in it.
func (l *lab) read(w measure.Window) (measure.Run, error) {
	file, err := os.Open(l.bed.AuditLog())
	if err != nil {
		return measure.Run{}, fmt.Errorf("open the audit log: %w", err)
	}
	defer file.Close()
	all, err := measure.Read(file)
	if err != nil {
		return measure.Run{}, err
	}
	return measure.Of(all, w), nil
}

// measures of a deploy by name, with their unit.
func measures(run measure.Run, w work.Work) map[string]float64 {
	overhead, limit := run.Overhead(w)
	late := run.Lateness(w)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	m := map[string]float64{
		"wall_s": run.To.Sub(run.From).Seconds(), "t_min_s": limit.Seconds(), "overhead_s": overhead.Seconds(),
		"order_violations": float64(len(run.Violations(w))),
		"requests":         float64(run.Total()), "writes": float64(run.Writes()), "workloads_written": float64(len(run.Written)),
	}
	if len(late) > 0 {
		m["lateness_p50_ms"], m["lateness_p99_ms"], m["lateness_max_ms"] = ms(measure.Percentile(late, 0.5)), ms(measure.Percentile(late, 0.99)), ms(late[len(late)-1])
	}
	if n := len(run.Written); n > 0 {
		m["requests_per_object"] = float64(run.Total()) / float64(n*objectsPerService)
	}
	return m
}

// objectsPerService: a ConfigMap, a Service and a Deployment.
const objectsPerService = 3
