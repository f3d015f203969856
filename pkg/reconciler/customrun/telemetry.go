package customrun

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	scope = "spock.dev/spock/pkg/reconciler/customrun"
	// spanAnnotation is where the creator of a PipelineRun may give the span context;
	// Tekton copies annotations to CustomRuns, and the status of a PipelineRun to nothing.
	spanAnnotation = "tekton.dev/pipelinerunSpanContext"
	// maxTrace bounds a span context, in bytes.
	maxTrace = 1024
)

// ending is the end of an attempt, and of the CustomRun when it is final.
type ending struct {
	namespace, name, kind, environment string
	outcome, message                   string
	attempt                            int
	final                              bool
	first, started, ended              time.Time // first is when the first attempt started
	trace                              map[string]string
}

// end is the end of this attempt, for the reason that the CustomRun tells.
func (p *pass) end(reason string) *ending {
	status := &p.run.Status
	e := &ending{
		namespace: p.run.Namespace, name: p.run.Name, kind: label(p.kind()), environment: p.environment(),
		outcome: reason, message: p.message(), attempt: p.run.GetRetryCount() + 1,
		first: p.now, started: p.now, ended: p.now, trace: p.record.Trace,
	}
	if status.StartTime != nil {
		e.first, e.started = status.StartTime.Time, status.StartTime.Time
	}
	if len(status.RetriesStatus) > 0 && status.RetriesStatus[0].StartTime != nil {
		e.first = status.RetriesStatus[0].StartTime.Time
	}
	return e
}

// telemetry tells metrics and traces. Tekton has none of CustomRuns.
type telemetry struct {
	duration metric.Float64Histogram
	retries  metric.Int64Counter
	tracer   trace.Tracer
}

// newTelemetry makes the instruments. Their labels are kinds and reasons alone: no name
// of a run, so that their number stays small.
func newTelemetry(meters metric.MeterProvider, tracers trace.TracerProvider) *telemetry {
	meter := meters.Meter(scope)
	duration, err := meter.Float64Histogram("spock.customrun.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from the start of a CustomRun to its end, with all attempts."),
		metric.WithExplicitBucketBoundaries(1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600))
	must(err)
	retries, err := meter.Int64Counter("spock.customrun.retries",
		metric.WithDescription("Attempts of CustomRuns that ended and were tried again."))
	must(err)
	return &telemetry{duration: duration, retries: retries, tracer: tracers.Tracer(scope)}
}

// tell tells of the end of an attempt.
func (t *telemetry) tell(ctx context.Context, e ending) {
	attributes := metric.WithAttributes(attribute.String("kind", e.kind), attribute.String("outcome", e.outcome))
	if e.final {
		t.duration.Record(ctx, e.ended.Sub(e.first).Seconds(), attributes)
	} else {
		t.retries.Add(ctx, 1, attributes)
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(e.trace))
	_, span := t.tracer.Start(ctx, e.kind, trace.WithTimestamp(e.started), trace.WithAttributes(
		attribute.String("namespace", e.namespace), attribute.String("customrun", e.name),
		attribute.String("environment", e.environment), attribute.String("outcome", e.outcome),
		attribute.Int("attempt", e.attempt)))
	if e.outcome != v1beta1.CustomRunReasonSuccessful.String() {
		span.SetStatus(codes.Error, e.message)
	}
	span.End(trace.WithTimestamp(e.ended))
}

// parentSpan is the span context of the PipelineRun that a CustomRun belongs to. A run
// without one is as good: telemetry holds nothing up.
func (r *Reconciler) parentSpan(ctx context.Context, run *v1beta1.CustomRun) map[string]string {
	var given map[string]string
	if json.Unmarshal([]byte(run.Annotations[spanAnnotation]), &given) == nil {
		return bounded(given)
	}
	owner := metav1.GetControllerOf(run)
	if owner == nil || owner.Kind != "PipelineRun" {
		return nil
	}
	pipelineRun, err := r.tekton.TektonV1().PipelineRuns(run.Namespace).Get(ctx, owner.Name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return bounded(pipelineRun.Status.SpanContext)
}

// bounded keeps the two fields that a W3C trace context has.
func bounded(given map[string]string) map[string]string {
	kept := map[string]string{}
	for _, field := range (propagation.TraceContext{}).Fields() {
		if value := given[field]; value != "" && len(value) <= maxTrace {
			kept[field] = value
		}
	}
	return kept
}
