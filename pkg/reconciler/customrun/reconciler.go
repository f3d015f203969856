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
	tektonclient "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	tektonlisters "github.com/tektoncd/pipeline/pkg/client/listers/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/tracker"

	"spock.dev/spock/pkg/client/clientset/versioned"
	listers "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
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

// Reconciler reconciles CustomRuns. It keeps nothing of a run but what saves work: the
// run's own status is all that a restart needs.
type Reconciler struct {
	runs         tektonlisters.CustomRunLister
	environments listers.EnvironmentLister
	client       versioned.Interface    // the controller's own, to read what a lister may not have yet
	tekton       tektonclient.Interface // the controller's own
	clients      Clients
	tracker      tracker.Interface
	clock        clock.PassiveClock
	after        func(types.NamespacedName, time.Duration)
	memory       *memory
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
	run.Status = *original.Status.DeepCopy()
	if original.IsDone() || !ours(run) {
		return nil
	}
	p, err := r.newPass(run)
	if err != nil {
		err = p.fail(ReasonInvalid, "status.extraFields: somebody else wrote it, and without it nothing is known of the run; start it again: "+oneLine(err))
		return r.finish(p, err)
	}
	for _, phase := range []func(context.Context, *pass) error{
		r.start,  // start time of the attempt
		r.cancel, // asked to stop: stop the work, then say so
		r.decode, // params -> record, once
		r.late,   // the attempt's time was over before it wrote anything
		r.act,    // write or delete the Environment, once an attempt
		r.follow, // what became of it
		r.expire, // the attempt's time is over
	} {
		if err = phase(ctx, p); err != nil {
			break
		}
	}
	return r.finish(p, err)
}

// FinalizeKind stops the work of a CustomRun that is deleted before its end. The
// finalizer stays until that has worked.
func (r *Reconciler) FinalizeKind(ctx context.Context, run *v1beta1.CustomRun) reconciler.Event {
	if run.IsDone() || !ours(run) {
		return nil
	}
	p, err := r.newPass(run)
	if err != nil {
		return nil //nolint:nilerr // of a record that cannot be read nothing is known to stop, and no retry helps
	}
	_, err = r.stop(ctx, p)
	return err
}

// finish writes what the next pass needs, also after an error. An error that comes back
// is tried again by the work queue; one of the user has become the condition.
func (r *Reconciler) finish(p *pass, err error) reconciler.Event {
	transient := err != nil && !errors.Is(err, errOver)
	if transient && !apierrors.IsConflict(err) {
		p.running("trying again after: " + oneLine(err))
	}
	if p.ending == nil {
		p.run.Status.Results = p.results(false)
	}
	if encodeErr := p.encode(); encodeErr != nil {
		return encodeErr
	}
	r.memory.keep(p)
	if transient {
		return err
	}
	return p.event()
}
