package customrun

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

var traceparent = "00-" + traceID + "-" + spanID + "-01"

// measured is what the metrics say, a line for each set of labels.
func measured(t *testing.T, l *lab) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	l.must(l.metrics.Collect(context.Background(), &all))
	got := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					got[m.Name+labelled(p.Attributes)] = p.Sum
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[m.Name+labelled(p.Attributes)] = float64(p.Value)
				}
			}
		}
	}
	return got
}

func labelled(set attribute.Set) string {
	var all []string
	for _, kv := range set.ToSlice() {
		all = append(all, string(kv.Key)+"="+kv.Value.Emit())
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestContract13TheDurationIsMeasuredByKindAndOutcome(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(retries(1)))
	l.pass()
	l.engine(broken)
	l.clock.SetTime(start.Add(10 * time.Second))
	l.pass()
	l.pass()
	l.clock.SetTime(start.Add(30 * time.Second))
	l.engine(ready)
	l.pass()
	l.pass()
	want := map[string]float64{
		"spock.customrun.retries{kind=Deploy,outcome=Failed}":     1,
		"spock.customrun.duration{kind=Deploy,outcome=Succeeded}": 30,
	}
	if diff := cmp.Diff(want, measured(t, l)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestContract13WhatUsersWriteIsNoLabel(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(ref(func(r *v1beta1.TaskRef) { r.Kind = "MyVeryOwn" })))
	l.pass()
	if diff := cmp.Diff(map[string]float64{"spock.customrun.duration{kind=other,outcome=InvalidCustomRun}": 0}, measured(t, l)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func owned(run *v1beta1.CustomRun) {
	run.OwnerReferences = []metav1.OwnerReference{{APIVersion: "tekton.dev/v1", Kind: "PipelineRun", Name: "pr-1", UID: "pr-uid", Controller: ptr.To(true)}}
}

func annotated(run *v1beta1.CustomRun) {
	run.Annotations = map[string]string{spanAnnotation: `{"traceparent":"` + traceparent + `","other":"x"}`}
}

func TestContract13TheAttemptIsASpanOfThePipelineRun(t *testing.T) {
	t.Parallel()
	traced := &pipelinev1.PipelineRun{ObjectMeta: metav1.ObjectMeta{Name: "pr-1", Namespace: namespace}}
	traced.Status.SpanContext = map[string]string{"traceparent": traceparent, "baggage": "x"}
	tests := map[string]struct {
		run      *v1beta1.CustomRun
		pipeline *pipelinev1.PipelineRun
		reads    int
		trace    string
	}{
		"whose status tells of it":       {run: deployRun(owned), pipeline: traced, reads: 1, trace: traceID},
		"whose creator told of it":       {run: deployRun(owned, annotated), pipeline: traced, trace: traceID},
		"which is not traced":            {run: deployRun(owned), pipeline: &pipelinev1.PipelineRun{ObjectMeta: traced.ObjectMeta}, reads: 1},
		"which is gone":                  {run: deployRun(owned), reads: 1},
		"or the root, if there is none":  {run: deployRun()},
		"or the root, if it is no trace": {run: deployRun(func(run *v1beta1.CustomRun) { run.Annotations = map[string]string{spanAnnotation: "?"} })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tt.run)
			if tt.pipeline != nil {
				l.must(l.tekton.Tracker().Add(tt.pipeline))
			}
			l.pass()
			l.clock.SetTime(start.Add(20 * time.Second))
			l.restart()
			l.engine(ready)
			l.pass()
			if got := reads(l); got != tt.reads {
				t.Errorf("the PipelineRun was read %d times, want %d", got, tt.reads)
			}
			spans := l.spans.GetSpans()
			if len(spans) != 1 || spans[0].Name != "Deploy" {
				t.Fatalf("spans %+v, want one Deploy", spans)
			}
			parent := spans[0].Parent
			if got := strings.Trim(parent.TraceID().String(), "0"); got != strings.Trim(tt.trace, "0") {
				t.Errorf("the parent's trace is %q, want %q", got, tt.trace)
			}
			if !spans[0].StartTime.Equal(start) || !spans[0].EndTime.Equal(start.Add(20*time.Second)) {
				t.Errorf("from %v to %v", spans[0].StartTime, spans[0].EndTime)
			}
			set := attribute.NewSet(spans[0].Attributes...)
			want := "{attempt=1,customrun=pr-1-deploy,environment=shop,namespace=team-a,outcome=Succeeded}"
			if diff := cmp.Diff(want, labelled(set)); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func reads(l *lab) int {
	n := 0
	for _, action := range l.tekton.Actions() {
		if action.GetVerb() == "get" && action.GetResource().Resource == "pipelineruns" {
			n++
		}
	}
	return n
}

func TestContract13AnEndThatCouldNotBeStoredIsNotTold(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(ready)
	l.tekton.PrependReactor("update", "customruns", failing)
	if err := l.tryPass(); err == nil {
		t.Error("the error of storing is not returned")
	}
	if got := measured(t, l); len(got) > 0 {
		t.Errorf("told %v", got)
	}
	l.tekton.ReactionChain = l.tekton.ReactionChain[1:]
	l.pass()
	if got := measured(t, l); len(got) != 1 || !l.run().IsDone() {
		t.Errorf("told %v of %s", got, outcome(l.run()))
	}
}
