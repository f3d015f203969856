// Package customrun reconciles Tekton CustomRuns of Spock's kinds: Deploy, which
// writes an Environment and follows it, and Teardown, which deletes one.
//
// Tekton leaves timeouts, retries and cancellation to the controller of a custom task,
// and looks at nothing but the Succeeded condition; so that condition says False only
// when nothing more will happen, with the reasons Tekton knows.
package customrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	customrunreconciler "github.com/tektoncd/pipeline/pkg/client/injection/reconciler/pipeline/v1beta1/customrun"
	tektonlisters "github.com/tektoncd/pipeline/pkg/client/listers/pipeline/v1beta1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/tracker"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
	listers "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
)

// The kinds of custom tasks.
const (
	KindDeploy   = "Deploy"
	KindTeardown = "Teardown"
)

// Reasons beside those that Tekton defines.
const (
	// ReasonInvalid: the CustomRun's own spec is wrong; a retry would not help.
	ReasonInvalid = "InvalidCustomRun"
	// ReasonRefused: the environment may not be written as asked.
	ReasonRefused = "Refused"
	// ReasonSuperseded: somebody else changed the environment before it was ready.
	ReasonSuperseded = "Superseded"
)

// Clients gives the client of a service account.
type Clients func(namespace, serviceAccount string) (versioned.Interface, error)

// Reconciler reconciles CustomRuns.
type Reconciler struct {
	runs         tektonlisters.CustomRunLister
	environments listers.EnvironmentLister
	history      listers.EnvironmentRunLister
	client       versioned.Interface // the controller's own, to read what a lister may not have yet
	clients      Clients
	tracker      tracker.Interface
	clock        clock.PassiveClock
	after        func(types.NamespacedName, time.Duration)
}

var (
	_ customrunreconciler.Interface = (*Reconciler)(nil)
	_ customrunreconciler.Finalizer = (*Reconciler)(nil)
)

// ours says whether a CustomRun is for us.
func ours(run *v1beta1.CustomRun) bool {
	apiVersion, kind := "", ""
	switch {
	case run.Spec.CustomRef != nil:
		apiVersion, kind = run.Spec.CustomRef.APIVersion, string(run.Spec.CustomRef.Kind)
	case run.Spec.CustomSpec != nil:
		apiVersion, kind = run.Spec.CustomSpec.APIVersion, run.Spec.CustomSpec.Kind
	}
	return apiVersion == v1alpha1.SchemeGroupVersion.String() && (kind == KindDeploy || kind == KindTeardown)
}

// isOurs is ours for objects of an informer.
func isOurs(obj any) bool {
	run, ok := obj.(*v1beta1.CustomRun)
	return ok && ours(run)
}

// errOver ends a pass whose outcome stands.
var errOver = errors.New("the outcome stands")

// ReconcileKind brings a CustomRun one step further.
func (r *Reconciler) ReconcileKind(ctx context.Context, run *v1beta1.CustomRun) reconciler.Event {
	// The copy at hand may have been reset to Unknown because its generation moved: a
	// pipeline that is cancelled patches finished runs too. What was stored decides.
	original, err := r.runs.CustomRuns(run.Namespace).Get(run.Name)
	if err != nil {
		return fmt.Errorf("get CustomRun %s/%s: %w", run.Namespace, run.Name, err)
	}
	if original.IsDone() || !ours(run) {
		run.Status = *original.Status.DeepCopy()
		return nil
	}
	p, err := r.newPass(run)
	if err != nil {
		return err
	}
	for _, phase := range []func(context.Context, *pass) error{
		r.start,  // start time of the attempt
		r.cancel, // asked to stop: stop the work, then say so
		r.expire, // the attempt's time is over
		r.decode, // params -> record, once
		r.act,    // write or delete the Environment, once an attempt
		r.follow, // what became of it
	} {
		if err = phase(ctx, p); err != nil {
			break
		}
	}
	return r.finish(p, err)
}

// FinalizeKind stops the work of a CustomRun that is deleted before its end.
func (r *Reconciler) FinalizeKind(ctx context.Context, run *v1beta1.CustomRun) reconciler.Event {
	if run.IsDone() || !ours(run) {
		return nil
	}
	p, err := r.newPass(run)
	if err != nil {
		return err
	}
	return r.stop(ctx, p)
}

// finish writes what the next pass needs. An error that comes back is tried again by
// the work queue; one of the user has become the condition.
func (r *Reconciler) finish(p *pass, err error) reconciler.Event {
	if encodeErr := p.run.Status.EncodeExtraFields(p.record); encodeErr != nil {
		return fmt.Errorf("encode the record of CustomRun %s: %w", p.key, encodeErr)
	}
	p.run.Status.Results = p.results()
	switch {
	case err == nil, errors.Is(err, errOver):
		return p.event()
	default:
		return err
	}
}
