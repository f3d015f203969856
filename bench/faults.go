package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/report"
	"spock.dev/spock/bench/work"
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// causes are what each fault is called in the status of an environment.
var causes = map[work.Fault]v1alpha1.CauseClass{
	work.NoImage: v1alpha1.CauseImage, work.BadConfig: v1alpha1.CauseConfig, work.CrashLoop: v1alpha1.CauseCrashLoop,
	work.OutOfMemory: v1alpha1.CauseOutOfMemory, work.ProbeFails: v1alpha1.CauseProbe, work.Unschedulable: v1alpha1.CauseUnschedulable,
	work.OverQuota: v1alpha1.CauseQuota, work.BadField: v1alpha1.CauseConfig,
}

// causeTime is how long a cause is waited for.
const causeTime = time.Minute

// faults brings up an environment with each fault and measures how long Spock takes to
// say its cause. One that is not said is a row without a cause.
func (l *lab) faults(ctx context.Context, faults ...work.Fault) error {
	for _, f := range faults {
		w := work.Tiers("fault-"+string(f), 10, 3, true, l.delays()).Failing(f)
		if err := l.fault(ctx, f, w); err != nil {
			return fmt.Errorf("case fault/%s: %w", f, err)
		}
	}
	return nil
}

func (l *lab) fault(ctx context.Context, f work.Fault, w work.Work) error {
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
	cause, err := l.cause(ctx, w, causes[f])
	window.To = time.Now()
	row := report.Row{Case: "fault/" + string(f), Engine: "spock", Mode: "default", Services: len(w.Services), Measures: map[string]float64{}}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		fmt.Fprintf(os.Stderr, "fault %s: no cause %s: %v\n", f, causes[f], err)
	default:
		all, err := l.audit(from)
		if err != nil {
			return err
		}
		known, is := measure.First(all, window, func(r measure.Request) bool { return tells(r, f, w.Services[0].Name) })
		if !is {
			return errors.New("a cause was named that nobody in the cluster has told")
		}
		row.Measures["cause_s"] = window.To.Sub(known).Seconds()
		if l.verbose {
			fmt.Printf("  cause: %s: %s\n", cause.Class, cause.Sentence())
		}
	}
	if err := l.keepRow(row, measure.Run{}); err != nil {
		return err
	}
	return l.ours.teardown(ctx, w)
}

// cause waits until the first service of a work has a cause of a class.
func (l *lab) cause(ctx context.Context, w work.Work, class v1alpha1.CauseClass) (*v1alpha1.Cause, error) {
	ctx, cancel := context.WithTimeout(ctx, causeTime)
	defer cancel()
	var cause *v1alpha1.Cause
	_, err := l.ours.spock.Until(ctx, w.Name, func(e *v1alpha1.Environment) bool {
		for _, s := range e.Status.Services {
			if s.Name == w.Services[0].Name && s.Cause != nil {
				cause = s.Cause
			}
		}
		return cause != nil && cause.Class == class
	})
	if err != nil && cause != nil {
		return nil, fmt.Errorf("it says %s: %s", cause.Class, cause.Sentence())
	}
	return cause, err
}

// tells says whether a request is what tells the cluster of a fault of a service: the
// kubelet's or the scheduler's word on its pod, or a refusal.
func tells(r measure.Request, f work.Fault, service string) bool {
	kubelet, pod := r.As == nodes, strings.HasPrefix(r.Name, service+"-")
	switch f {
	case work.BadField:
		return r.Resource == "deployments.apps" && r.Code >= 400 && (r.Name == service || r.Name == "")
	case work.OverQuota:
		return r.Resource == "pods" && r.Verb == "create" && r.Code == 403
	case work.Unschedulable:
		return r.Resource == "pods/status" && pod && !kubelet
	case work.ProbeFails:
		return r.Resource == "events" && r.Verb == "create" && kubelet
	default:
		return r.Resource == "pods/status" && pod && kubelet
	}
}
